import { expect, test } from '@jest/globals';
import pg from 'pg';
import { runStatement } from '../../src/kernel/statement.js';
import { holdRows } from '../support/holdRows.js';
import { useApi } from '../support/api.js';

const api = useApi();

async function withClient<Result>(work: (client: pg.PoolClient, sent: string[]) => Promise<Result>): Promise<Result> {
  const pool = new pg.Pool({ connectionString: api.url, max: 1, pipeline: true });
  const client = await pool.connect();
  const sent: string[] = [];
  // What goes out, by the first byte of each message.
  const { stream } = (client as unknown as { connection: { stream: { write(bytes: Buffer): boolean } } }).connection;
  const write = stream.write.bind(stream);
  stream.write = (bytes) => {
    sent.push(bytes.toString('latin1', 0, 1));
    return write(bytes);
  };
  try {
    return await work(client, sent);
  } finally {
    client.release(true);
    await pool.end();
  }
}

const everyKind = {
  name: 'test_every_kind',
  text: `SELECT n, $1::text AS text, n::int8 AS "bigCount", n::numeric / 8 AS numeric, '2026-03-01Z'::timestamptz + n * interval '1 ms' AS at,
      n = 2 AS flag, CASE n WHEN 1 THEN NULL ELSE ARRAY['a', NULL] END AS list, jsonb_build_object('n', n) AS json,
      '\\x00ff'::bytea AS bytes, NULL::text AS "__proto"
    FROM generate_series(1, $2::int) n ORDER BY n`,
};

test('rows are those of node-postgres, the first time and when PostgreSQL is not asked again what they look like', () =>
  withClient(async (client, sent) => {
    const rows = (await client.query({ ...everyKind, name: 'theirs', values: ['é', 3] })).rows as unknown[];
    expect(rows).toHaveLength(3);
    sent.length = 0;
    const [first, together] = await Promise.all(
      [3, 2].map((count) => runStatement(client, { ...everyKind, values: ['é', count] })),
    );
    expect([first, together]).toEqual([rows, rows.slice(0, 2)]);
    // Parse once; Bind, Describe, Execute, Sync twice: the second went out before the first was answered.
    expect(sent.join('')).toBe('PBDESBDES');
    sent.length = 0;
    expect(await runStatement(client, { ...everyKind, values: ['é', 3] })).toEqual(rows);
    expect(await runStatement(client, { ...everyKind, values: ['é', 0] })).toEqual([]);
    expect(sent.join('')).toBe('BESBES');
  }));

test('a statement without a name is described each time, for another may look different', () =>
  withClient(async (client) => {
    expect(await runStatement(client, { text: 'SELECT 1 AS one' })).toEqual([{ one: 1 }]);
    expect(await runStatement(client, { text: 'SELECT $1::text AS two', values: ['x'] })).toEqual([{ two: 'x' }]);
  }));

test('whatever fails is told, and the connection serves on', () =>
  withClient(async (client) => {
    const ratio = (divisor: unknown) =>
      runStatement(client, { name: 'test_ratio', text: 'SELECT 6 / $1::int AS ratio', values: [divisor] });
    const broken = { toPostgres: () => { throw new Error('no such value'); } }; // prettier-ignore
    const unreadable = { getTypeParser: () => () => { throw new Error('no such text'); } }; // prettier-ignore
    expect(await ratio(6)).toEqual([{ ratio: 1 }]);
    await expect(ratio(broken)).rejects.toThrow('no such value');
    await expect(ratio(0)).rejects.toMatchObject({ code: '22012' });
    expect(await ratio(3)).toEqual([{ ratio: 2 }]);
    const answers = await Promise.allSettled([ratio(0), ratio(2), ratio(broken), ratio(1), ratio('x'), ratio(6)]);
    expect(answers.map((one) => (one.status === 'fulfilled' ? one.value : (one.reason as Error).message))).toEqual([
      'division by zero',
      [{ ratio: 3 }],
      'no such value',
      [{ ratio: 6 }],
      'invalid input syntax for type integer: "x"',
      [{ ratio: 1 }],
    ]);
    const odd = { name: 'test_odd', text: 'SELECT 1 AS one', types: unreadable as never };
    await expect(runStatement(client, odd)).rejects.toThrow('no such text');
    await expect(runStatement(client, odd)).rejects.toThrow('no such text');
    await expect(runStatement(client, { ...odd, text: 'SELECT 2' })).rejects.toThrow('must be unique');
    expect(await ratio(2)).toEqual([{ ratio: 3 }]);
  }));

test('statements that are not prepared read each its own columns, in its own types', () =>
  withClient(async (client) => {
    const shouting = { getTypeParser: () => (text: string) => `${text}!` } as unknown as pg.CustomTypesConfig;
    const read = (text: string, types?: pg.CustomTypesConfig) => runStatement(client, { text, types });
    for (const _ of ['first', 'again']) {
      expect(await read(`SELECT 1 AS a, 'x' AS b`)).toEqual([{ a: 1, b: 'x' }]);
      expect(await read(`SELECT 'x' AS b, 1 AS a`)).toEqual([{ b: 'x', a: 1 }]);
      expect(await read(`SELECT '1' AS a, 'x' AS b`)).toEqual([{ a: '1', b: 'x' }]);
      expect(await read(`SELECT 1 AS a, 'x' AS b`, shouting)).toEqual([{ a: '1!', b: 'x!' }]);
      expect(await read(`SELECT 1 AS "a, 25 b"`)).toEqual([{ 'a, 25 b': 1 }]);
    }
  }));

test('a table that has changed is told as an error, never read by what it looked like before', () =>
  withClient(async (client) => {
    const all = { name: 'test_all', text: 'SELECT * FROM looks' };
    await client.query('CREATE TEMPORARY TABLE looks AS SELECT 1 AS one');
    expect(await runStatement(client, all)).toEqual([{ one: 1 }]);
    await client.query("ALTER TABLE looks ADD two text DEFAULT '2'");
    await expect(runStatement(client, all)).rejects.toThrow('cached plan must not change result type');
  }));

test('a list that waits does not hold up the prepared statements of others', async () => {
  await api.db.sql(null, 'CREATE TABLE held AS SELECT 1 AS id', []);
  const held = await holdRows(api, 'UPDATE held SET id = 2');
  const slow = api.db.sql(null, 'SELECT id FROM held FOR UPDATE', []);
  const quick = api.db.sql('test_quick', 'SELECT $1::int AS n', [1]);
  expect(await quick).toEqual([{ n: 1 }]);
  await held.waiters(1);
  await held.release();
  expect(await slow).toEqual([{ id: 2 }]);
});
