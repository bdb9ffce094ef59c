import { expect, test } from '@jest/globals';
import { useApi } from '../support/api.js';
import { newBusiness, newCustomer } from '../support/business.js';
import { newProductOffering } from '../support/catalog.js';
import { isRetryableConflict, sqlStateOf, violatedConstraint } from '../../src/kernel/databaseError.js';
import { candidateNumbers, drawNumbers } from '../../src/kernel/drawNumber.js';
import { newId, uuidOf } from '../../src/kernel/id.js';
import { insertion } from '../../src/kernel/insertion.js';
import type { RequestContext } from '../../src/kernel/requestContext.js';
import { keyringOf } from '../../src/keyring.js';
import { readConfig } from '../../src/config.js';
import { inSqlTransaction, inTransaction, type SqlTx, type Tx } from '../../src/kernel/transaction.js';
import { testEnvironment } from '../support/api.js';

const api = useApi();

async function contextOfNewBusiness(): Promise<RequestContext> {
  const { id } = await newBusiness(api);
  return {
    db: api.db,
    viewer: { principal: 'SYSTEM', businessId: uuidOf('Business', id), mode: 'LIVE', brandId: null },
    now: new Date(),
    requestId: 'test-request',
    actor: null,
    keyring: keyringOf(readConfig(testEnvironment)),
    guesses: null,
    idempotency: null,
    mailFolder: null,
  };
}

const product = (ctx: RequestContext, sku: string) => ({
  businessId: (ctx.viewer as { businessId: string }).businessId,
  id: newId(),
  sku,
  name: sku,
  metadata: {},
  createdAt: ctx.now,
  updatedAt: ctx.now,
});

const insertProduct = (tx: Tx, sku: string) => {
  const { businessId, id, name, createdAt } = product(tx.ctx, sku);
  return tx.sql(
    'test_insert_product',
    "INSERT INTO products (business_id, id, sku, name, metadata, created_at, updated_at) VALUES ($1, $2, $3, $4, '{}', $5, $5)",
    [businessId, id, sku, name, createdAt],
  );
};

test('Prisma and prepared statements share one connection: both see the other and roll back together', async () => {
  const ctx = await contextOfNewBusiness();
  const where = { businessId: (ctx.viewer as { businessId: string }).businessId };
  const failing = inTransaction(ctx, async (tx) => {
    await tx.prisma.product.create({ data: product(ctx, 'BY-PRISMA') });
    await insertProduct(tx, 'BY-SQL');
    const [{ pid }] = (await tx.sql<{ pid: number }>('test_pid', 'SELECT pg_backend_pid() AS pid', [])) as [
      { pid: number },
    ];
    const [same] = await tx.prisma.$queryRaw<{ pid: number }[]>`SELECT pg_backend_pid() AS pid`;
    expect(same?.pid).toBe(pid);
    expect(await tx.prisma.product.count({ where })).toBe(2);
    throw new Error('changed my mind');
  });
  await expect(failing).rejects.toThrow('changed my mind');
  expect(await api.db.prisma.product.count({ where })).toBe(0);
});

test('twenty transactions at once keep to their own connections', async () => {
  const ctx = await contextOfNewBusiness();
  const pids = await Promise.all(
    Array.from({ length: 20 }, () =>
      inTransaction(ctx, async (tx) => {
        const [bySql] = await tx.sql<{ pid: number }>('test_pid', 'SELECT pg_backend_pid() AS pid', []);
        const [byPrisma] = await tx.prisma.$queryRaw<
          { pid: number }[]
        >`SELECT pg_backend_pid() AS pid, pg_sleep(0.01)::text`;
        return { same: bySql?.pid === byPrisma?.pid };
      }),
    ),
  );
  expect(pids).toEqual(pids.map(() => ({ same: true })));
});

test('a conflict is told by its constraint, through Prisma and through statements', async () => {
  const ctx = await contextOfNewBusiness();
  await inTransaction(ctx, async (tx) => tx.prisma.product.create({ data: product(ctx, 'TAKEN') }));
  const byPrisma = await inTransaction(ctx, async (tx) =>
    tx.prisma.product.create({ data: product(ctx, 'TAKEN') }),
  ).catch((error: unknown) => error);
  const bySql = await inTransaction(ctx, async (tx) => insertProduct(tx, 'TAKEN')).catch((error: unknown) => error);
  for (const error of [byPrisma, bySql]) {
    expect([violatedConstraint(error), isRetryableConflict(error)]).toEqual(['products_business_id_sku_key', false]);
  }
  expect(sqlStateOf(bySql)).toBe('23505');
});

test('a deadlock is told as a conflict worth another attempt', async () => {
  const ctx = await contextOfNewBusiness();
  for (const sku of ['A', 'B'])
    await inTransaction(ctx, async (tx) => tx.prisma.product.create({ data: product(ctx, sku) }));
  const { businessId } = ctx.viewer as { businessId: string };
  let arrived = 0;
  let release: () => void = () => {};
  const both = new Promise<void>((resolve) => (release = resolve));
  const lock = (first: string, second: string) =>
    inTransaction(ctx, async (tx) => {
      const text = 'UPDATE products SET version = version + 1 WHERE business_id = $1 AND sku = $2';
      await tx.sql('test_lock', text, [businessId, first]);
      if (++arrived === 2) release();
      await both;
      await tx.sql('test_lock', text, [businessId, second]);
      return {};
    });
  const outcomes = await Promise.allSettled([lock('A', 'B'), lock('B', 'A')]);
  const failed = outcomes.filter((outcome) => outcome.status === 'rejected');
  expect(failed).toHaveLength(1);
  expect([sqlStateOf(failed[0]?.reason), isRetryableConflict(failed[0]?.reason)]).toEqual(['40P01', true]);
});

test('a connection that dies in a transaction is not given to the next caller', async () => {
  const ctx = await contextOfNewBusiness();
  const dying = inSqlTransaction(ctx, async (tx) => {
    const [row] = await tx.sql<{ pid: number }>('test_pid', 'SELECT pg_backend_pid() AS pid', []);
    await api.db.sql(null, 'SELECT pg_terminate_backend($1)', [row?.pid]);
    await tx.sql('test_pid', 'SELECT pg_backend_pid() AS pid', []);
    return {};
  });
  await expect(dying).rejects.toThrow();
  for (let i = 0; i < 30; i++) {
    const [row] = await inSqlTransaction(ctx, (tx) => tx.sql<{ one: number }>('test_one', 'SELECT 1 AS one', []));
    expect(row?.one).toBe(1);
  }
});

test('a transaction that waited too long begins no further statement, and a late use case writes nothing outside it', async () => {
  const ctx = await contextOfNewBusiness();
  const { businessId } = ctx.viewer as { businessId: string };
  const sinceStart = performance.now.bind(performance);
  const late = inTransaction(ctx, async (tx) => {
    await insertProduct(tx, 'BEFORE');
    performance.now = () => sinceStart() + 8_001;
    await insertProduct(tx, 'AFTER');
    return {};
  }).finally(() => (performance.now = sinceStart));
  await expect(late).rejects.toThrow('the transaction took too long and was rolled back');
  expect(await api.db.prisma.product.count({ where: { businessId } })).toBe(0);
});

test('rows of one table that differ in their fields are a fault, not a loss', async () => {
  const ctx = await contextOfNewBusiness();
  const insert = inTransaction(ctx, async (tx) => {
    tx.insert('ledger_accounts', { id: newId(), kind: 'FUNDING' } as never);
    tx.insert('ledger_accounts', { id: newId(), kind: 'SALES', currency: 'EUR' } as never);
    return {};
  });
  await expect(insert).rejects.toThrow('rows for ledger_accounts differ in their fields');
});

test('rows are stored the same, whether they go value by value or as lists', async () => {
  const { live, id } = await newBusiness(api);
  const businessId = uuidOf('Business', id);
  const customerId = uuidOf('Customer', await newCustomer(api, live));
  const productOfferingId = uuidOf('ProductOffering', await newProductOffering(api, live));
  const ctx = {
    ...(await contextOfNewBusiness()),
    viewer: { principal: 'SYSTEM', businessId, mode: 'LIVE', brandId: null } as const,
  };
  const odd = `"it's" \\ {a,b} NULL é 漢 \u{1F511}\n\t`;
  const license = {
    ...{ businessId, mode: 'LIVE' as const, type: odd, status: 'ACTIVE' as const, customerId, productOfferingId },
    ...{
      validFrom: new Date('2026-01-01T00:00:00.007Z'),
      validUntil: null,
      activatedAt: new Date('1999-12-31T23:59:59.999Z'),
    },
    ...{
      amountMinor: 2n ** 53n,
      currency: 'EUR',
      tags: [odd, '', 'NULL', 'a,b', '{}'],
      description: '',
      details: undefined,
    },
    metadata: { text: odd, number: 1.5, flag: false, none: null, '': '' },
    ...{ version: 7, createdAt: ctx.now, updatedAt: ctx.now },
  };
  const key = {
    ...{
      businessId,
      mode: 'LIVE' as const,
      customerId,
      source: 'AUTO' as const,
      status: 'ACTIVE' as const,
      last4: 'ABCD',
    },
    ...{ keyCiphertext: Buffer.from([0, 255, 92, 39]), metadata: {}, createdAt: ctx.now, updatedAt: ctx.now },
  };
  const write = (mark: string, ways: (tx: SqlTx) => void) =>
    inSqlTransaction(ctx, (tx) => {
      const [licenseId, licenseKeyId] = [newId(), newId()];
      tx.insert('licenses', { id: licenseId, number: mark, ...license });
      tx.insert('license_keys', { id: licenseKeyId, ...key });
      tx.insert('license_key_bindings', { businessId, mode: 'LIVE', licenseKeyId, licenseId, createdAt: ctx.now });
      ways(tx);
      return Promise.resolve({});
    });
  const account = {
    businessId,
    mode: 'LIVE' as const,
    id: newId(),
    kind: 'FUNDING' as const,
    currency: 'JPY',
    createdAt: ctx.now,
  };
  await write('V', () => undefined);
  await write('L', (tx) => tx.insert('ledger_accounts', account));
  expect(insertion([['licenses', [license]]])[1]).toContain(' VALUES ($1, ');
  expect(
    insertion([
      ['licenses', [license]],
      ['ledger_accounts', [account]],
    ])[1],
  ).toContain('jsonb_populate_recordset');
  const stored = (mark: string) =>
    api.db.sql(
      null,
      `SELECT substr(l.number, 2) AS n, to_jsonb(l) - 'id' - 'number' AS license, to_jsonb(k) - 'id' AS key, to_jsonb(b) - 'license_id' - 'license_key_id' AS binding
       FROM licenses l LEFT JOIN license_key_bindings b ON b.license_id = l.id LEFT JOIN license_keys k ON k.id = b.license_key_id
       WHERE l.business_id = $1 AND l.number LIKE $2 ORDER BY 1`,
      [businessId, `${mark}%`],
    );
  const values = await stored('V');
  expect(values).toHaveLength(1);
  expect(values[0]).toMatchObject({
    license: {
      type: odd,
      tags: license.tags,
      metadata: license.metadata,
      details: null,
      amount_minor: 2 ** 53,
      version: 7,
    },
    key: { key_ciphertext: '\\x00ff5c27' },
    binding: { occupies: expect.stringContaining('2026-01-01') },
  });
  expect(await stored('L')).toEqual(values);
  const changes = [
    { id: '1', version: 2 },
    { version: 4, id: '3' },
  ];
  expect(insertion([['changes', changes]])[2]).toEqual(['1', 2, '3', 4]);
  expect(insertion([['licenses', changes]])[1]).toContain('jsonb_populate_recordset');
});

test('numbers get a digit more once the usual ones are crowded, and are never given twice', async () => {
  const ctx = await contextOfNewBusiness();
  const { businessId } = ctx.viewer as { businessId: string };
  await api.db.sql(
    null,
    `INSERT INTO customers (business_id, mode, id, brand_id, number, is_email_verified, metadata, created_at, updated_at)
     SELECT $1, 'LIVE', gen_random_uuid(), b.id, 'K' || lpad(n::text, 2, '0'), false, '{}', $2, $2
       FROM brands b, generate_series(0, 89) n WHERE b.business_id = $1`,
    [businessId, ctx.now],
  );
  const { numbers } = await inSqlTransaction(ctx, async (tx) => ({
    numbers: await drawNumbers(tx, 'Customer', 20, undefined, [2, 3]),
  }));
  expect(new Set(numbers).size).toBe(20);
  expect(numbers.filter((number) => /^K\d{3}$/.test(number)).length).toBeGreaterThanOrEqual(10);
  expect(numbers.filter((number) => /^K[0-8]\d$/.test(number))).toEqual([]);
  const usual = await inSqlTransaction(ctx, async (tx) => ({ numbers: await drawNumbers(tx, 'License', 5) }));
  expect(usual.numbers.filter((number) => !/^L\d{9}$/.test(number))).toEqual([]);
});

test('numbers that were looked up are taken as they are but for those that are not free', async () => {
  const ctx = await contextOfNewBusiness();
  const [first, second, third] = candidateNumbers('License', 3) as [string, string, string];
  const draw = (taken: string[]) =>
    inSqlTransaction(ctx, async (tx) => ({
      numbers: await drawNumbers(tx, 'License', 3, { drawn: [first, second, third], taken }),
    }));
  expect((await draw([])).numbers).toEqual([first, second, third]);
  const { numbers } = await draw([second]);
  expect(numbers).toEqual([first, third, expect.stringMatching(/^L\d{9}$/)]);
  expect(numbers[2]).not.toBe(second);
});
