import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import type { ProductKey } from '../../src/generated/prisma/client.js';
import { effectiveStatus } from '../../src/productKeys/effective.js';
import { byClock, hasEnded, nextDue, statusOf, type ProductKeyLife } from '../../src/productKeys/life.js';
import { useApi } from '../support/api.js';

const api = useApi();

const second = (n: number | null) => (n === null ? null : new Date(Date.UTC(2026, 0, 1, 0, 0, n)));
const maybe = fc.option(fc.integer({ min: 0, max: 9 }), { nil: null });

/** Lives as the table's constraints allow them, with an instant at which they are read. */
const lives = fc
  .record({
    status: fc.constantFrom('SCHEDULED', 'TRIALING', 'ACTIVE', 'DISABLED', 'CANCELLED', 'EXPIRED'),
    start: fc.integer({ min: 0, max: 9 }),
    trial: fc.option(fc.integer({ min: 1, max: 6 }), { nil: null }),
    notice: fc.option(fc.integer({ min: 0, max: 5 }), { nil: null }),
    isNotified: fc.boolean(),
    length: fc.option(fc.integer({ min: 1, max: 9 }), { nil: null }),
    cancelAt: maybe,
    now: fc.integer({ min: 0, max: 12 }),
  })
  .filter(({ status, trial }) => status !== 'TRIALING' || trial !== null)
  .map(({ status, start, trial, notice, isNotified, length, cancelAt, now }) => {
    const trialNoticeAt = trial === null || notice === null ? null : second(start + Math.min(notice, trial - 1));
    const life = {
      status,
      startsAt: second(start),
      trialEndsAt: trial === null ? null : second(start + trial),
      trialNoticeAt,
      trialNotifiedAt: isNotified ? trialNoticeAt : null,
      expiresAt: length === null ? null : second(start + length),
      cancelAt: second(cancelAt),
    } as ProductKeyLife;
    return { life, now: second(now) as Date };
  });

test('where a key stands and what is due of it is one rule, in TypeScript, in SQL and in the column that the worker reads', async () => {
  const samples = fc.sample(lives, process.env.DEEP ? 20_000 : 3_000);
  const client = await api.db.writer.pool.connect();
  try {
    await client.query('BEGIN');
    // The generated column itself, without what other columns demand.
    await client.query('CREATE TEMP TABLE t (LIKE product_keys INCLUDING GENERATED) ON COMMIT DROP');
    const { rows: columns } = await client.query<{ name: string }>(
      "SELECT attname AS name FROM pg_attribute WHERE attrelid = 't'::regclass AND attnum > 0 AND attnotnull",
    );
    await client.query(`ALTER TABLE t ${columns.map(({ name }) => `ALTER ${name} DROP NOT NULL`).join(', ')}`);
    const list = (field: keyof ProductKeyLife) => samples.map(({ life }) => life[field]);
    await client.query(
      `INSERT INTO t (version, status, starts_at, trial_ends_at, trial_notice_at, trial_notified_at, expires_at, cancel_at)
        SELECT n, a, b, c, d, e, f, g FROM unnest($1::product_key_status[], $2::timestamptz[], $3::timestamptz[], $4::timestamptz[],
          $5::timestamptz[], $6::timestamptz[], $7::timestamptz[]) WITH ORDINALITY AS s (a, b, c, d, e, f, g, n)`,
      [
        ...(
          ['status', 'startsAt', 'trialEndsAt', 'trialNoticeAt', 'trialNotifiedAt', 'expiresAt', 'cancelAt'] as const
        ).map(list),
      ],
    );
    const { rows } = await client.query<{ status: string; due: Date | null }>(
      `SELECT ${effectiveStatus('s.now')} AS status, t.due_at AS due
        FROM unnest($1::timestamptz[]) WITH ORDINALITY AS s (now, n) JOIN t ON t.version = s.n ORDER BY s.n`,
      [samples.map(({ now }) => now)],
    );
    expect(rows).toHaveLength(samples.length);
    const wrong = samples.flatMap(({ life, now }, i) => {
      const { status, due } = rows[i]!;
      const written = carriedOut(life, now);
      const found = [status, due !== null && due <= now, written.status];
      const expected = [statusOf(life, now), nextDue(life, now) !== null, statusOf(life, now)];
      return JSON.stringify(found) === JSON.stringify(expected) ? [] : [{ life, now, found, expected }];
    });
    expect(wrong).toEqual([]);
  } finally {
    await client.query('ROLLBACK');
    client.release();
  }
});

/** The life when everything that is due has been written, as `carryOutDue` does. */
function carriedOut(life: ProductKeyLife, now: Date): ProductKeyLife {
  let next: ProductKeyLife = life;
  for (let due = nextDue(next, now), i = 0; due && i < 9; due = nextDue(next, now), i++) {
    const { kind, at } = due;
    const status: ProductKey['status'] | null =
      kind === 'CANCEL' ? 'CANCELLED' : kind === 'EXPIRE' ? 'EXPIRED' : kind === 'START' ? byClock(next, at) : null;
    if (kind === 'TRIAL_NOTICE') next = { ...next, trialNotifiedAt: at };
    else next = { ...next, status: status ?? 'ACTIVE' };
    if (hasEnded(next.status)) break;
  }
  return next;
}
