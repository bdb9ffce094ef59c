import { expect, test } from '@jest/globals';
import { pino } from 'pino';
import { createApp } from '../../src/app.js';
import { readConfig } from '../../src/config.js';
import { checkKeyring, keyringOf } from '../../src/keyring.js';
import { keyHmacs } from '../../src/licenseKeys/keyHmacs.js';
import { rekeySigningKeys } from '../../src/licenseFiles/rekeySigningKeys.js';
import { rekeyLicenseKeys } from '../../src/licenseKeys/rekeyLicenseKeys.js';
import { testEnvironment, useApi, type Api, type Answer } from '../support/api.js';
import { newBusiness, newCustomer } from '../support/business.js';
import { newEntitlement } from '../support/catalog.js';
import { holdRows } from '../support/holdRows.js';
import { newLicenseKey, newLicenseKeyPool } from '../support/licenseKeys.js';
import { newPendingGrant, rowId } from '../support/licenses.js';
import { newWorld, purchaseInput } from '../support/world.js';
import { callKey, findByText, textOfKey } from './keyCalls.js';

const secretOf = (fill: number) => Buffer.alloc(32, fill).toString('base64');
/** Both kinds of secrets: the old ones are those of every test server. */
const [old, next] = [
  { hmac: `h1:${secretOf(1)}`, encryption: `e1:${secretOf(2)}` },
  { hmac: `h2:${secretOf(3)}`, encryption: `e2:${secretOf(4)}` },
];

function environment(...secrets: (typeof old)[]) {
  return {
    ...testEnvironment,
    LATCHKEY_HMAC_KEYS: secrets.map(({ hmac }) => hmac).join(','),
    LATCHKEY_ENCRYPTION_KEYS: secrets.map(({ encryption }) => encryption).join(','),
  };
}

const api = useApi();

/** Another process on the same database, with secrets of its own. */
async function processWith<T>(
  secrets: (typeof old)[],
  work: (other: Api, rekey: () => Promise<number>) => Promise<T>,
): Promise<T> {
  const config = readConfig(environment(...secrets));
  const keyring = keyringOf(config);
  await checkKeyring(api.db, keyring, new Date());
  const { server } = await createApp({
    config,
    db: api.db,
    keyring,
    log: pino({ level: 'silent' }),
    clock: () => new Date(),
  });
  await server.ready();
  const call: Api['call'] = async ({ token, query, variables, headers }) => {
    const response = await server.inject({
      method: 'POST',
      url: '/graphql',
      headers: { authorization: `Bearer ${token}`, ...headers },
      payload: { query, variables },
    });
    return { ...response.json<Answer>(), status: response.statusCode, headers: response.headers };
  };
  const data: Api['data'] = async (of) => {
    const answer = await call(of);
    if (answer.errors) throw new Error(JSON.stringify(answer.errors));
    return answer.data;
  };
  try {
    const parts = { db: api.db, keyring, mailFolder: null, clock: () => new Date() };
    const rekey = async () => (await rekeyLicenseKeys(parts)) + (await rekeySigningKeys(parts));
    return await work({ ...api, call, data, db: api.db }, rekey);
  } finally {
    await server.close();
  }
}

const start = (...secrets: (typeof old)[]) =>
  checkKeyring(api.db, keyringOf(readConfig(environment(...secrets))), new Date());

const fulfillQuery = `mutation ($input: FulfillLicenseKeyGrantInput!) { fulfillLicenseKeyGrant(input: $input) {
  grant { licenseKey { id } } userErrors { code } } }`;
const buyQuery = `mutation ($input: PurchaseLicensesByWalletInput!) { purchaseLicensesByWallet(input: $input) {
  licenses { licenseKeys { id } } userErrors { code } } }`;

async function lookupsBySecret(): Promise<Record<string, number>> {
  const rows = await api.db.sql<{ id: string; count: number }>(
    null,
    'SELECT hmac_key_id AS id, count(*)::int AS count FROM license_key_lookups GROUP BY 1',
    [],
  );
  return Object.fromEntries(rows.map(({ id, count }) => [id, count]));
}

test('secrets are rotated under load: processes that know only one of them collide, and everything is found and read after', async () => {
  await start(old);
  const { live } = await newBusiness(api);
  const world = await newWorld(api, live);
  const customerId = await newCustomer(api, live);
  const before = new Map<string, string>();
  for (let i = 0; i < 8; i++)
    before.set(await newLicenseKey(api, live, { key: `BEFORE-${i}`, customerId }), `BEFORE-${i}`);
  const [rotatedId] = before.keys();
  await callKey(api, live, 'rotateLicenseKey', {
    licenseKeyId: rotatedId,
    key: 'AFTER-0',
    graceUntil: '2099-01-01',
  });
  before.set(rotatedId as string, 'AFTER-0');
  await newLicenseKeyPool(api, live, ['WAITING-1', 'WAITING-2']);
  const grants = await Promise.all(Array.from({ length: 24 }, () => newPendingGrant(api, live, { customerId })));

  await processWith([next, old], async (rotating, rekey) => {
    const fulfill = (process: Api, grantId: string, key: string) =>
      process.call({ token: live, query: fulfillQuery, variables: { input: { grantId, key } } });
    const buy = (process: Api, code?: string) =>
      process.call({ token: live, query: buyQuery, variables: { input: purchaseInput(world, { code }) } });
    const runs = [api, rotating];
    const answers = await Promise.all([
      // Each text is wanted by an old and a rotating process at once.
      ...grants.map((grantId, i) => fulfill(runs[i % 2] as Api, grantId, `BOTH-${Math.floor(i / 2)}`)),
      ...Array.from({ length: 10 }, (_, i) => buy(runs[i % 2] as Api, `CODE-${Math.floor(i / 2)}`)),
      ...Array.from({ length: 6 }, (_, i) => buy(runs[i % 2] as Api)),
      rekey(),
      rekey(),
      rekey(),
    ]);
    const payloads = answers.flatMap((answer) => (typeof answer === 'number' ? [] : [answer]));
    expect(payloads.flatMap(({ errors }) => errors ?? [])).toEqual([]);
    const codes = payloads.flatMap(({ data }) => Object.values<any>(data)[0].userErrors.map(({ code }: any) => code));
    expect(codes).toEqual(Array(12 + 5).fill('LICENSE_KEY_TAKEN'));
    // Whoever knows both finds what was written under either, before and after the job.
    expect(await findByText(rotating, live, 'before 3')).toHaveLength(1);
    await rekey();
    expect(await rekey()).toBe(0);
    for (const process of runs) {
      expect(await findByText(process, live, 'BOTH-0')).toHaveLength(1);
      expect(await findByText(process, live, 'CODE-0')).toHaveLength(1);
    }
  });
  const { h1, h2 } = await lookupsBySecret();
  expect(h1).toBe(h2);

  // The last processes with the old secrets are gone: the new ones alone suffice.
  await start(next);
  await processWith([next], async (after, rekey) => {
    for (const [id, text] of before) {
      expect([await textOfKey(after, live, id), await findByText(after, live, text)]).toEqual([text, [id]]);
    }
    expect(await findByText(after, live, 'before-0')).toEqual([rotatedId]);
    for (const taken of ['WAITING-1', 'BEFORE-0', 'BOTH-3']) {
      const grantId = await newPendingGrant(after, live, { customerId });
      const { data } = await after.call({
        token: live,
        query: fulfillQuery,
        variables: { input: { grantId, key: taken } },
      });
      expect(data.fulfillLicenseKeyGrant.userErrors).toEqual([{ code: 'LICENSE_KEY_TAKEN' }]);
    }
    await rekey();
    expect(await lookupsBySecret()).toEqual({ h2 });
    expect(await findByText(after, live, 'WAITING-1')).toEqual([]);
  });
  await expect(start(old)).rejects.toThrow('LATCHKEY_HMAC_KEYS: what is stored still needs the key "h2"');
});

test('keys are rotated, drawn and rekeyed at once: each text is found by each secret and reads as it was given', async () => {
  const { live } = await newBusiness(api);
  const customerId = await newCustomer(api, live);
  const held = await newLicenseKey(api, live, { key: 'HELD-1', customerId });
  const texts = new Map<string, string[]>();
  for (let i = 0; i < 12; i++) texts.set(await newLicenseKey(api, live, { key: `RUN-${i}`, customerId }), [`RUN-${i}`]);
  const drawn: string[] = [];
  const waiting = Array.from({ length: 12 }, (_, i) => `POOL-${i}`);
  const licenseKeyPoolId = await newLicenseKeyPool(api, live, waiting);
  const entitlementId = await newEntitlement(api, live, { licenseKey: { licenseKeyPoolId } });
  const keyring = keyringOf(readConfig(environment(next, old)));
  await processWith([next, old], async (rotating, rekey) => {
    // The job has read a text and locked its key when another process rotates it: that waits, and supersedes both values.
    const [row] = await api.db.sql<{ businessId: string; mode: 'LIVE' }>(
      null,
      'SELECT business_id AS "businessId", mode FROM license_keys WHERE id = $1',
      [rowId(held)],
    );
    const [value] = keyHmacs(keyring, row!, 'HELD-1');
    const lookup = await holdRows(
      api,
      `INSERT INTO license_key_lookups (business_id, mode, key_hmac, hmac_key_id, license_key_id) VALUES ($1, $2, $3, 'h2', $4)`,
      [row!.businessId, row!.mode, value!.keyHmac, rowId(held)],
    );
    const job = rekey();
    await lookup.waiters(1);
    const input = { licenseKeyId: held, key: 'HELD-2', graceUntil: '2099-01-01' };
    const rotation = callKey(api, live, 'rotateLicenseKey', input);
    await lookup.waiters(2);
    await lookup.release();
    expect([(await rotation).userErrors, await job]).toEqual([[], expect.any(Number)]);
    texts.set(held, ['HELD-1', 'HELD-2']);

    const rotate = async (id: string, i: number) => {
      for (const process of [api, rotating, api]) {
        const text = `${texts.get(id)?.[0]}-${i}-${texts.get(id)?.length}`;
        const input = { licenseKeyId: id, key: text, graceUntil: '2099-01-01' };
        expect((await callKey(process, live, 'rotateLicenseKey', input)).userErrors).toEqual([]);
        texts.get(id)?.push(text);
      }
    };
    const draw = async (process: Api) => {
      const { issueGrant } = await process.data({
        token: live,
        query: `mutation ($input: IssueGrantInput!) { issueGrant(input: $input) {
          grant { licenseKey { id } } userErrors { code } } }`,
        variables: { input: { entitlementId, customerId } },
      });
      expect(issueGrant.userErrors).toEqual([]);
      drawn.push(issueGrant.grant.licenseKey.id);
    };
    let isOver = false;
    const jobs = Array.from({ length: 2 }, async () => {
      while (!isOver) await rekey();
    });
    await Promise.all([
      ...[...texts.keys()].map(rotate),
      ...waiting.map((_, i) => draw(i % 2 ? rotating : api)),
    ]).finally(() => (isOver = true));
    await Promise.all(jobs);
    while ((await rekey()) > 0);
  });
  const odd = await api.db.sql<{ n: number }>(
    null,
    `SELECT count(*)::int AS n FROM license_key_lookups l JOIN businesses b ON b.id = l.business_id
      WHERE l.business_id = (SELECT business_id FROM license_keys WHERE id = $1)
      GROUP BY coalesce(l.rotation_id, l.license_key_id, l.pool_key_id) HAVING count(*) <> 2`,
    [rowId(held)],
  );
  expect(odd).toEqual([]);
  await processWith([next], async (after) => {
    for (const [id, given] of texts) {
      expect(await textOfKey(after, live, id)).toBe(given.at(-1));
      for (const text of given) expect(await findByText(after, live, text)).toEqual([id]);
    }
    const draws = await Promise.all(drawn.map((id) => textOfKey(after, live, id)));
    expect([...draws].sort()).toEqual([...waiting].sort());
    expect(await Promise.all(draws.map((text) => findByText(after, live, text)))).toEqual(drawn.map((id) => [id]));
  });
});

test('of two rotating processes with the secrets in different orders, one stores a text', async () => {
  const { live } = await newBusiness(api);
  const customerId = await newCustomer(api, live);
  await processWith([next, old], (one) =>
    processWith([old, next], async (other) => {
      const query =
        'mutation ($input: ImportLicenseKeysInput!) { importLicenseKeys(input: $input) { results { licenseKey { id } userErrors { code } } } }';
      const rows = Array.from({ length: 20 }, (_, i) => ({ key: `ORDER-${i}`, customerId }));
      const answers = await Promise.all(
        Array.from({ length: 6 }, (_, i) =>
          (i % 2 ? one : other).data({
            token: live,
            query,
            variables: { input: { rows: i % 3 ? rows : [...rows].reverse() } },
          }),
        ),
      );
      const results = answers.flatMap(({ importLicenseKeys }) => importLicenseKeys.results);
      expect(results.filter(({ licenseKey }) => licenseKey)).toHaveLength(20);
    }),
  );
});

test('a text that is stored under the old secret only is taken to a rotating import, whose other rows are done', async () => {
  const { live } = await newBusiness(api);
  const customerId = await newCustomer(api, live);
  await newLicenseKey(api, live, { key: 'ONLY-OLD-1', customerId });
  await processWith([next, old], async (rotating) => {
    const query =
      'mutation ($input: ImportLicenseKeysInput!) { importLicenseKeys(input: $input) { results { licenseKey { last4 } userErrors { code } } } }';
    const rows = ['only old 1', 'FRESH-2222'].map((key) => ({ key, customerId }));
    const { importLicenseKeys } = await rotating.data({ token: live, query, variables: { input: { rows } } });
    expect(importLicenseKeys.results).toEqual([
      { licenseKey: null, userErrors: [{ code: 'LICENSE_KEY_TAKEN' }] },
      { licenseKey: { last4: '2222' }, userErrors: [] },
    ]);
  });
});

test('the server does not start with another secret under a known id, nor without one that is still needed', async () => {
  const { live } = await newBusiness(api);
  const id = await newLicenseKey(api, live, { key: 'NEEDED-1' });
  const swapped = { ...next, hmac: `h1:${secretOf(9)}` };
  await expect(start(swapped)).rejects.toThrow('LATCHKEY_HMAC_KEYS: the key "h1" is not the one');
  const fresh = { hmac: `h3:${secretOf(7)}`, encryption: `e3:${secretOf(8)}` };
  await expect(start(fresh)).rejects.toThrow(/LATCHKEY_HMAC_KEYS: what is stored still needs the key "h[12]"/);
  // What was refused is not remembered: the id is free for the right secret.
  await start({
    hmac: `${old.hmac},${next.hmac},h3:${secretOf(6)}`,
    encryption: `${old.encryption},${next.encryption}`,
  });
  const encryptionOnly = { hmac: `${next.hmac},${old.hmac}`, encryption: fresh.encryption };
  await expect(start(encryptionOnly)).rejects.toThrow(
    /LATCHKEY_ENCRYPTION_KEYS: what is stored still needs the key "e[12]"/,
  );
  const [row] = await api.db.sql<{ id: string }>(
    null,
    'SELECT hmac_key_id AS id FROM license_key_lookups WHERE license_key_id = $1',
    [rowId(id)],
  );
  expect(row).toEqual({ id: 'h1' });
});

test('a worker without an old secret leaves what it cannot read, and says so', async () => {
  const { live } = await newBusiness(api);
  await newLicenseKey(api, live, { key: 'UNREAD-1' });
  const config = readConfig(
    environment({ hmac: `h1:${secretOf(1)},h9:${secretOf(5)}`, encryption: `e9:${secretOf(6)}` }),
  );
  const blind = rekeyLicenseKeys({ db: api.db, keyring: keyringOf(config), mailFolder: null, clock: () => new Date() });
  await expect(blind).rejects.toThrow(/the secret key "e[12]" is not configured/);
  expect(await findByText(api, live, 'UNREAD-1')).toHaveLength(1);
});
