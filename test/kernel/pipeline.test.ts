import { expect, test } from '@jest/globals';
import { newId } from '../../src/kernel/id.js';
import { allOf } from '../../src/kernel/pipeline.js';
import type { RequestContext } from '../../src/kernel/requestContext.js';
import { inSqlTransaction, type SqlTx } from '../../src/kernel/transaction.js';
import { useApi } from '../support/api.js';

const api = useApi();

const inTx = (work: (tx: SqlTx) => Promise<object>) =>
  inSqlTransaction({ db: api.db, idempotency: null, now: new Date() } as RequestContext, work);

const records = async () => {
  const [row] = await api.db.sql<{ count: number }>(null, 'SELECT count(*)::int AS count FROM idempotency_records', []);
  return row?.count;
};

function claim(tx: SqlTx, key: string): Promise<object[]> {
  const text = `INSERT INTO idempotency_records (namespace, key, mutation, fingerprint, created_at)
    VALUES ('pipeline', $1, 'test', '', $2)`;
  return tx.sql('test_claim', text, [key, tx.ctx.now]);
}

/** Rows of a table with foreign keys that they break. */
function insertBroken(tx: SqlTx): void {
  const ids = { businessId: newId(), mode: 'LIVE' as const, licenseKeyId: newId(), licenseId: newId() };
  tx.insert('license_key_bindings', { ...ids, createdAt: tx.ctx.now });
}

test('statements of one tick get their own rows and their own errors', async () => {
  const answers = await Promise.allSettled(
    Array.from({ length: 11 }, (_, i) => api.db.sql<{ n: number }>(null, `SELECT 6 / $1::int AS n`, [i % 5])),
  );
  expect(answers.map((one) => (one.status === 'fulfilled' ? one.value[0]?.n : one.reason.code))).toEqual([
    ...['22012', 6, 3, 2, 1],
    ...['22012', 6, 3, 2, 1],
    '22012',
  ]);
});

test('rows that are refused with the COMMIT leave nothing, and the connection serves on', async () => {
  const before = await records();
  await expect(
    inTx(async (tx) => {
      await claim(tx, 'refused');
      insertBroken(tx);
      return {};
    }),
  ).rejects.toMatchObject({ code: expect.stringMatching(/^23/) });
  expect(await records()).toBe(before);
  await inTx(async (tx) => ({ rows: await claim(tx, 'kept') }));
  expect(await records()).toBe((before ?? 0) + 1);
});

test('what is to come at the end comes after the rows, and where it fails, nothing stands', async () => {
  const before = (await records())!;
  const counting = `INSERT INTO idempotency_records (namespace, key, mutation, fingerprint, created_at)
    SELECT 'pipeline', 'end ' || count(*), 'test', '', $1 FROM idempotency_records WHERE 1 / $2::int > 0`;
  const endingWith = (divisor: number) =>
    inTx(async (tx) => {
      tx.atEnd('test_at_end', counting, [tx.ctx.now, divisor]);
      await claim(tx, `before the end ${divisor}`);
      return {};
    });
  await expect(endingWith(0)).rejects.toMatchObject({ code: '22012' });
  expect(await records()).toBe(before);
  await endingWith(1);
  const text = `SELECT key FROM idempotency_records WHERE key LIKE 'end %'`;
  expect(await api.db.sql(null, text, [])).toEqual([{ key: `end ${before + 1}` }]);
});

test('a COMMIT that PostgreSQL makes a ROLLBACK of is no success', async () => {
  const before = await records();
  const swallowing = inTx(async (tx) => {
    await claim(tx, 'swallowed');
    await tx.sql('test_fault', 'SELECT 1 / 0', []).catch(() => undefined);
    return {};
  });
  await expect(swallowing).rejects.toThrow('rolled back');
  expect(await records()).toBe(before);
});

test('rows that differ in their fields are refused before any COMMIT is sent', async () => {
  const before = await records();
  const differing = inTx(async (tx) => {
    await claim(tx, 'differing');
    insertBroken(tx);
    tx.insert('license_key_bindings', {} as never);
    return {};
  });
  await expect(differing).rejects.toThrow('differ in their fields');
  expect(await records()).toBe(before);
});

test('a step that fails waits for those beside it, and its error is the one that counts', async () => {
  const seen: string[] = [];
  const late = async () => {
    await new Promise((resolve) => setImmediate(resolve));
    seen.push('late');
  };
  const failing = async () => {
    await Promise.resolve();
    throw new Error('the first');
  };
  await expect(allOf([late(), failing()])).rejects.toThrow('the first');
  expect(seen).toEqual(['late']);
  expect(await allOf([Promise.resolve(1), Promise.resolve('two')])).toEqual([1, 'two']);
});

test('of steps that fail together the cause is told, not that the transaction had failed', async () => {
  const failing = inTx(async (tx) => {
    const follower = async () => {
      await tx.sql('test_one', 'SELECT 1', []);
      await tx.sql('test_one', 'SELECT 1', []);
    };
    await allOf([follower(), tx.sql('test_conflict', "DO $$ BEGIN RAISE SQLSTATE '40001'; END $$", [])]);
    return {};
  });
  await expect(failing).rejects.toMatchObject({ code: '40001' });
});

test('a step that nobody awaits sends nothing once its transaction is over', async () => {
  const before = await records();
  const outcomes: Promise<unknown>[] = [];
  for (const last of [Promise.resolve({}), Promise.reject(new Error('refused'))]) {
    let goOn = () => {};
    const over = new Promise<void>((resolve) => (goOn = resolve));
    const work = inTx(async (tx) => {
      outcomes.push(over.then(() => claim(tx, 'late')));
      return last;
    });
    await work.catch(() => undefined);
    goOn();
  }
  expect(await Promise.allSettled(outcomes)).toMatchObject(
    outcomes.map(() => ({ reason: { message: expect.stringContaining('the transaction is over') } })),
  );
  expect(await records()).toBe(before);
});
