import { randomUUID } from 'node:crypto';
import { afterEach, expect, test } from '@jest/globals';
import pg from 'pg';
import { pino } from 'pino';
import { startRelay, type Relay } from '../../src/events/relay.js';
import type { PositionedChange } from '../../src/events/positionChanges.js';
import { uuidOf } from '../../src/kernel/id.js';
import { useApi } from '../support/api.js';
import { newBusiness, newCustomer } from '../support/business.js';
import { waitUntil } from '../support/waitUntil.js';

const api = useApi();
const relays: Relay[] = [];

function relay(onChanges?: (changes: readonly PositionedChange[]) => void): Relay {
  const started = startRelay({ url: api.url, clock: () => new Date(), log: pino({ level: 'silent' }), onChanges });
  relays.push(started);
  return started;
}

afterEach(async () => {
  await Promise.all(relays.splice(0).map((started) => started.stop()));
});

/** The positions of a business's live changes, by position. */
async function positionsOf(businessId: string): Promise<{ position: bigint; objectId: string; sequence: number }[]> {
  return api.db.sql(
    null,
    `SELECT position, object_id AS "objectId", sequence FROM changes
      WHERE business_id = $1 AND mode = 'LIVE' AND position IS NOT NULL ORDER BY position`,
    [businessId],
  );
}

async function allPlaced(): Promise<boolean> {
  return (await api.db.sql(null, 'SELECT 1 FROM changes WHERE position IS NULL LIMIT 1', [])).length === 0;
}

/** Changes as transactions of other processes would have committed them: object by object, at these milliseconds. */
async function addChanges(businessId: string, objects: Record<string, number[]>): Promise<void> {
  const rows = Object.entries(objects).flatMap(([objectId, times]) =>
    times.map((ms, i) => ({ objectId, sequence: i + 1, at: new Date(1_800_000_000_000 + ms).toISOString() })),
  );
  await api.db.sql(
    null,
    `INSERT INTO changes (business_id, mode, id, type, object_type, object_id, sequence, actor_kind, snapshot, request_id, created_at)
      SELECT $1, 'LIVE', gen_random_uuid(), 'wallet.credited', 'Wallet', r."objectId", r.sequence, 'SYSTEM', '{}', 'test', r.at
        FROM jsonb_to_recordset($2::jsonb) AS r ("objectId" uuid, sequence int, at timestamptz)`,
    [businessId, JSON.stringify(rows)],
  );
}

/** The backend that holds the relay's lock. */
async function holder(): Promise<number | null> {
  const rows = await api.db.sql<{ pid: number }>(
    null,
    `SELECT a.pid FROM pg_stat_activity a JOIN pg_locks l ON l.pid = a.pid AND l.locktype = 'advisory' AND l.granted
      WHERE a.datname = current_database() AND a.application_name = 'latchkey relay'`,
    [],
  );
  expect(rows.length).toBeLessThanOrEqual(1);
  return rows[0]?.pid ?? null;
}

test('positions rise by one per business and mode, for rows of concurrent transactions', async () => {
  const businesses = await Promise.all([newBusiness(api), newBusiness(api)]);
  relay();
  await Promise.all(
    businesses.flatMap(({ live, test: testToken }) =>
      Array.from({ length: 10 }, () => [newCustomer(api, live), newCustomer(api, testToken)]).flat(),
    ),
  );
  await waitUntil('all changes have positions', allPlaced);
  const tenants = await api.db.sql<{ mode: string; count: number; positions: string[]; last: bigint }>(
    null,
    `SELECT c.mode, count(*)::int AS count, array_agg(c.position::text ORDER BY c.position) AS positions, p.last_position AS last
      FROM changes c JOIN change_positions p USING (business_id, mode) GROUP BY c.business_id, c.mode, p.last_position`,
    [],
  );
  expect(tenants).toHaveLength(4);
  for (const { count, positions, last } of tenants) {
    expect(positions).toEqual(Array.from({ length: count }, (_, i) => String(i + 1)));
    expect(last).toBe(BigInt(count));
    expect(count).toBeGreaterThanOrEqual(10);
  }
});

test("the clock decides, but never against an object's own order, over more than one batch", async () => {
  const business = uuidOf('Business', (await newBusiness(api)).id);
  relay();
  await waitUntil('the first changes have positions', allPlaced);
  const before = BigInt((await positionsOf(business)).length);
  const stopped = relays.splice(0);
  await Promise.all(stopped.map((started) => started.stop()));
  const [late, early, object] = [randomUUID(), randomUUID(), randomUUID()];
  // `object` changed at 9,000 first, then thrice by requests that had begun before 600 others of `early`.
  const times = Array.from({ length: 600 }, (_, i) => 100 + i);
  await addChanges(business, { [object]: [9_000, 1, 2, 3], [early]: times, [late]: [10_000] });
  relay();
  await waitUntil('all changes have positions', allPlaced);
  const placed = (await positionsOf(business)).filter(({ position }) => position > before);
  expect(placed.map(({ position }) => position)).toEqual(placed.map((_, i) => before + BigInt(i + 1)));
  const sequencesOf = (id: string) => placed.filter(({ objectId }) => objectId === id).map(({ sequence }) => sequence);
  expect(sequencesOf(object)).toEqual([1, 2, 3, 4]);
  expect(sequencesOf(early)).toEqual(times.map((_, i) => i + 1));
  // Changes of the same batch that nothing else orders stand as the clock says.
  expect(placed[0]?.objectId).toBe(object);
  expect(placed.at(-1)?.objectId).toBe(late);
});

test('who waits for news is told of each change once, in order, after it is committed', async () => {
  const business = await newBusiness(api);
  const told: PositionedChange[] = [];
  const started = relay((changes) => told.push(...changes));
  for (let i = 0; i < 5; i++) {
    await newCustomer(api, business.live);
    started.wake();
  }
  await waitUntil('all changes have positions', allPlaced);
  const placed = await positionsOf(uuidOf('Business', business.id));
  await waitUntil('all were told', () => told.filter(({ mode }) => mode === 'LIVE').length >= placed.length);
  const own = told.filter(({ businessId, mode }) => businessId === uuidOf('Business', business.id) && mode === 'LIVE');
  expect(own.map(({ position }) => position)).toEqual(placed.map(({ position }) => position));
});

test('what is rolled back is never seen', async () => {
  const business = uuidOf('Business', (await newBusiness(api)).id);
  relay();
  await waitUntil('the first changes have positions', allPlaced);
  const before = (await positionsOf(business)).length;
  const client = new pg.Client({ connectionString: api.url });
  await client.connect();
  await client.query('BEGIN');
  await client.query(
    `INSERT INTO changes (business_id, mode, id, type, object_type, object_id, sequence, actor_kind, snapshot, request_id, created_at)
      VALUES ($1, 'LIVE', gen_random_uuid(), 'wallet.credited', 'Wallet', gen_random_uuid(), 1, 'SYSTEM', '{}', 'test', now())`,
    [business],
  );
  await addChanges(business, { [randomUUID()]: [1] });
  await waitUntil('the committed change has its position', async () => (await positionsOf(business)).length > before);
  await client.query('ROLLBACK');
  await client.end();
  await addChanges(business, { [randomUUID()]: [2] });
  await waitUntil('the next one has its position', allPlaced);
  const placed = await positionsOf(business);
  expect(placed.map(({ position }) => position)).toEqual(Array.from({ length: before + 2 }, (_, i) => BigInt(i + 1)));
});

test('of several relays one works; when its connection is killed another takes over, and each row is carried once', async () => {
  const business = uuidOf('Business', (await newBusiness(api)).id);
  for (let i = 0; i < 3; i++) relay();
  const objects = Array.from({ length: 40 }, () => randomUUID());
  const killed = new Set<number>();
  for (const [i, object] of objects.entries()) {
    await addChanges(business, { [object]: Array.from({ length: 20 }, (_, at) => at) });
    if (i % 10 !== 5) continue;
    await waitUntil('one holds the lock', async () => (await holder()) !== null);
    const pid = (await holder()) as number;
    const since = performance.now();
    await api.db.sql(null, 'SELECT pg_terminate_backend($1)', [pid]);
    killed.add(pid);
    await waitUntil('another holds the lock', async () => ![null, pid].includes(await holder()));
    expect(performance.now() - since).toBeLessThan(1_500);
  }
  await waitUntil('all changes have positions', allPlaced);
  expect(killed.size).toBe(4);
  const placed = await positionsOf(business);
  expect(placed.map(({ position }) => position)).toEqual(placed.map((_, i) => BigInt(i + 1)));
  for (const object of objects) {
    const own = placed.filter(({ objectId }) => objectId === object).map(({ sequence }) => sequence);
    expect(own).toEqual(Array.from({ length: 20 }, (_, i) => i + 1));
  }
});

test('a relay that is stopped frees its lock at once', async () => {
  const started = relay();
  await waitUntil('it holds the lock', async () => (await holder()) !== null);
  await started.stop();
  expect(await holder()).toBeNull();
});
