import { expect, test } from '@jest/globals';
import pg from 'pg';
import { useApi } from '../support/api.js';

const api = useApi();

test('instants are read exactly as node-postgres reads them, however PostgreSQL writes them', async () => {
  const instants = [
    '2026-03-01 12:00:00.123+00',
    '2026-03-01 12:00:00.12+00',
    '2026-03-01 12:00:00.1+00',
    '2026-03-01 12:00:00+00',
    '2024-02-29 23:59:59.999+00',
    '1969-12-31 23:59:59.001+00',
    '0099-01-01 00:00:00+00',
    '0100-01-01 00:00:00+00',
    '0001-01-01 00:00:00+00',
    '9999-12-31 23:59:59.999+00',
    '10000-01-01 00:00:00+00',
    '2026-03-01 14:00:00.5+02',
    '2026-03-01 17:30:00+05:30',
    '0044-03-15 12:00:00+00 BC',
    'infinity',
  ];
  const plain = new pg.Client({ connectionString: api.url });
  await plain.connect();
  try {
    for (const zone of ['UTC', 'Europe/Stockholm', 'Asia/Kolkata']) {
      await api.db.sql(null, `SELECT set_config('TimeZone', $1, false)`, [zone]);
      await plain.query(`SELECT set_config('TimeZone', $1, false)`, [zone]);
      const text = 'SELECT x::timestamptz AS at FROM unnest($1::text[]) WITH ORDINALITY AS t (x, n) ORDER BY n';
      const ours = await api.db.sql<{ at: unknown }>(null, text, [instants]);
      const theirs = await plain.query<{ at: unknown }>(text, [instants]);
      expect(ours.map(({ at }) => at)).toEqual(theirs.rows.map(({ at }) => at));
      expect(ours[0]?.at).toEqual(new Date('2026-03-01T12:00:00.123Z'));
    }
  } finally {
    await plain.end();
  }
});
