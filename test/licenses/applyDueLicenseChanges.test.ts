import { expect, test } from '@jest/globals';
import { pino } from 'pino';
import { useApi } from '../support/api.js';
import { newBusiness, newCustomer } from '../support/business.js';
import { newProductOffering } from '../support/catalog.js';
import { changeLicense, changesOf, newKeyedOffering, newLicense, rowId, runDueChanges } from '../support/licenses.js';

const api = useApi();

const start = '2026-04-01T00:00:00.000Z';

async function pendingLicense(token: string, fields: object = {}): Promise<string> {
  api.setNow('2026-03-01T10:00:00.000Z');
  const id = await newLicense(api, token, { activationDate: '2026-04-01', ...fields });
  api.setNow(null);
  return id;
}

test('what is due is written once by two workers at once, across tenants and modes; what is not due is left', async () => {
  const [one, two] = [await newBusiness(api), await newBusiness(api)];
  const due: string[] = [];
  for (const token of [one.live, one.test, two.live]) {
    const productOfferingId = await newProductOffering(api, token === one.test ? one.live : token);
    const customerId = await newCustomer(api, token);
    for (let i = 0; i < 5; i++) due.push(await pendingLicense(token, { productOfferingId, customerId }));
  }
  const later = await pendingLicense(one.live, { activationDate: '2026-05-01' });
  const before = new Date('2026-03-31T23:59:59.999Z');
  expect(await runDueChanges(api, before)).toBe(0);
  const counts = await Promise.all([1, 2].map(() => runDueChanges(api, start)));
  expect(counts.reduce((left, right) => left + right)).toBe(15);
  for (const id of due) {
    const changes = await changesOf(api, id);
    expect(changes.map(({ type, sequence }) => [type, sequence])).toEqual([
      ['license.created', 1],
      ['license.activated', 2],
    ]);
  }
  expect((await changesOf(api, later)).map(({ type }) => type)).toEqual(['license.created']);
  expect(await runDueChanges(api, start)).toBe(0);
});

test('a worker that comes a week late dates the change with the start, and its snapshot is written as all others', async () => {
  const { live } = await newBusiness(api);
  const id = await pendingLicense(live, { metadata: { a: 1 }, assignedTo: { type: 'SITE', id: 'x' } });
  await api.db.sql(
    null,
    `UPDATE licenses SET amount_minor = 9007199254740993, currency = 'USD', tags = '{a,b}' WHERE id = $1`,
    [rowId(id)],
  );
  const late = new Date('2026-04-08T07:00:00.500Z');
  expect(await runDueChanges(api, late)).toBe(1);
  const [created, activated] = await changesOf(api, id);
  expect(activated).toEqual({
    type: 'license.activated',
    sequence: 2,
    actor_kind: 'SYSTEM',
    actor_name: null,
    reason: null,
    before: { status: 'PENDING', activatedAt: null },
    after: { status: 'ACTIVE', activatedAt: start },
    snapshot: {
      ...created?.snapshot,
      status: 'ACTIVE',
      activatedAt: start,
      amountMinor: '9007199254740993',
      currency: 'USD',
      tags: ['a', 'b'],
      pausedAt: null,
      cancelledAt: null,
      statusBeforeBlock: null,
      expiredAt: null,
      billingSince: null,
      offeringSince: null,
      pendingOfferingAt: null,
      pendingOfferingId: null,
      renewalId: null,
      usedAt: null,
      usedById: null,
      pendingStatus: null,
      pendingStatusAt: null,
      version: 2,
      updatedAt: start,
    },
    created_at: new Date(start),
  });
  const query =
    'query ($id: ID!) { license(id: $id) { status activatedAt version history { nodes { type actorKind } } } }';
  expect(await api.data({ token: live, query, variables: { id } })).toEqual({
    license: {
      status: 'ACTIVE',
      activatedAt: start,
      version: 2,
      history: {
        nodes: [
          { type: 'license.activated', actorKind: null },
          { type: 'license.created', actorKind: 'API_KEY' },
        ],
      },
    },
  });
});

test('four workers at once share more than a batch; a cancellation scheduled before the start goes first', async () => {
  const { live } = await newBusiness(api);
  const id = await pendingLicense(live);
  const cancelled = await pendingLicense(live);
  await api.db.sql(
    null,
    `UPDATE licenses SET pending_status = 'CANCELLED', pending_status_at = '2026-03-20T00:00:00Z' WHERE id = $1`,
    [rowId(cancelled)],
  );
  await api.db.sql(
    null,
    `INSERT INTO licenses (business_id, mode, id, number, status, type, customer_id, product_offering_id, valid_from,
        tags, metadata, created_at, updated_at)
      SELECT business_id, mode, gen_random_uuid(), 'L' || (100000000 + n), status, type, customer_id, product_offering_id,
        valid_from, tags, metadata, created_at, updated_at
      FROM licenses, generate_series(1, 1200) n WHERE id = $1`,
    [rowId(id)],
  );
  const workers = (instant: string) => Promise.all([1, 2, 3, 4].map(() => runDueChanges(api, instant)));
  // The first round makes the connections, so that the second one runs at once.
  expect(await workers('2026-03-02T00:00:00.000Z')).toEqual([0, 0, 0, 0]);
  const counts = await workers(start);
  expect(counts.reduce((left, right) => left + right)).toBe(1202);
  const [versions] = await api.db.sql(
    null,
    `SELECT count(*)::int AS licenses, min(version) AS least, max(version) AS most,
      (SELECT count(*)::int FROM changes c WHERE c.business_id = l.business_id AND c.type = 'license.activated') AS changes
    FROM licenses l WHERE status = 'ACTIVE' AND business_id = (SELECT business_id FROM licenses WHERE id = $1)
    GROUP BY l.business_id`,
    [rowId(id)],
  );
  expect(versions).toEqual({ licenses: 1201, least: 2, most: 2, changes: 1201 });
  expect((await changesOf(api, cancelled)).map(({ type }) => type)).toEqual(['license.created', 'license.ended']);
});

test('two workers a day late write every kind of change once, in order and dated with its instant', async () => {
  const { live } = await newBusiness(api);
  const now = '2027-03-01T10:00:00.000Z';
  const at = '2027-04-01T00:00:00.000Z';
  const end = '2027-04-01T12:00:00.000Z';
  const late = '2027-04-02T00:00:00.000Z';
  await runDueChanges(api, now);
  api.setNow(now);
  const productOfferingId = await newKeyedOffering(api, live);
  const other = await newProductOffering(api, live, { licenseType: 'premium' });
  const ids: string[] = [];
  for (let i = 0; i < 12; i++) {
    const id = await newLicense(api, live, { productOfferingId, activationDate: '2027-04-01' });
    await changeLicense(api, live, 'pause', id, { at });
    ids.push(id);
  }
  await api.db.sql(
    null,
    `UPDATE licenses SET valid_until = $2, pending_offering_id = $3, pending_offering_at = $4 WHERE id = ANY($1::uuid[])`,
    [ids.map(rowId), end, rowId(other), at],
  );
  api.setNow(null);
  const counts = await Promise.all([1, 2].map(() => runDueChanges(api, late)));
  expect(counts.reduce((left, right) => left + right)).toBe(12);
  const days = [at, at, at, end].map((day) => new Date(day));
  for (const id of ids) {
    const changes = (await changesOf(api, id)).slice(2);
    expect(changes.map(({ type, sequence, created_at }) => [type, sequence, created_at])).toEqual([
      ['license.activated', 3, days[0]],
      ['license.paused', 4, days[1]],
      ['license.offering_changed', 5, days[2]],
      ['license.expired', 6, days[3]],
    ]);
    expect(changes.at(-1)).toMatchObject({
      actor_kind: 'SYSTEM',
      before: { expiredAt: null },
      after: { expiredAt: end },
      snapshot: { status: 'PAUSED', type: 'premium', offeringSince: null, pendingOfferingId: null },
    });
    const [grant] = await api.db.sql<{ reason: string; causes: string[]; revoked_at: Date }>(
      null,
      'SELECT revocation_reason AS reason, revocation_causes AS causes, revoked_at FROM grants WHERE license_id = $1',
      [rowId(id)],
    );
    // The other offering gives no key: what the pause took back is taken back for good.
    expect(grant).toEqual({ reason: 'PLAN_CHANGED', causes: [], revoked_at: days[0] });
  }
  expect(await Promise.all([1, 2].map(() => runDueChanges(api, late)))).toEqual([0, 0]);
});

test('a license that cannot be written is logged with its id, stops no other, and is tried again by the next run', async () => {
  const { live } = await newBusiness(api);
  api.setNow('2028-03-01T10:00:00.000Z');
  const at = '2028-04-01T00:00:00.000Z';
  const bad = await newLicense(api, live, {
    assignedTo: { type: 'PERSON', id: 'erika', displayName: 'Erika Mustermann' },
  });
  const good = await newLicense(api, live);
  for (const id of [bad, good]) await changeLicense(api, live, 'pause', id, { at });
  api.setNow(null);
  // What fails for good, such as a defect in a constraint, whatever is tried.
  const guard = (what: string) => api.db.sql(null, `ALTER TABLE licenses ${what}`, []);
  await guard(`ADD CONSTRAINT bad CHECK (id <> '${rowId(bad)}' OR status <> 'PAUSED')`);
  const lines: { license?: string }[] = [];
  const log = pino({ level: 'error' }, { write: (line: string) => void lines.push(JSON.parse(line)) });
  expect(await runDueChanges(api, at, log)).toBe(1);
  expect(lines.map(({ license }) => license)).toEqual([rowId(bad)]);
  expect(lines).toMatchObject([{ err: { code: '23514', message: expect.stringContaining('"bad"') } }]);
  expect(JSON.stringify(lines)).not.toContain('Erika');
  expect((await changesOf(api, good)).at(-1)?.type).toBe('license.paused');
  expect((await changesOf(api, bad)).at(-1)?.type).toBe('license.change_scheduled');
  await guard('DROP CONSTRAINT bad');
  expect(await runDueChanges(api, at, log)).toBe(1);
  expect((await changesOf(api, bad)).at(-1)).toMatchObject({ type: 'license.paused', created_at: new Date(at) });
  expect(lines).toHaveLength(1);
});

test('a start that cannot be written stops no other start', async () => {
  const { live } = await newBusiness(api);
  const at = '2028-04-02T00:00:00.000Z';
  await runDueChanges(api, '2028-04-01T10:00:00.000Z');
  api.setNow('2028-04-01T10:00:00.000Z');
  const [bad, good] = [
    await newLicense(api, live, { activationDate: '2028-04-02' }),
    await newLicense(api, live, { activationDate: '2028-04-02' }),
  ];
  api.setNow(null);
  await api.db.sql(
    null,
    `ALTER TABLE licenses ADD CONSTRAINT bad CHECK (id <> '${rowId(bad)}' OR status <> 'ACTIVE')`,
    [],
  );
  const lines: { license?: string }[] = [];
  const log = pino({ level: 'error' }, { write: (line: string) => void lines.push(JSON.parse(line)) });
  expect(await runDueChanges(api, at, log)).toBe(1);
  expect(lines.map(({ license }) => license)).toEqual([undefined, rowId(bad)]);
  expect((await changesOf(api, good)).at(-1)?.type).toBe('license.activated');
  await api.db.sql(null, 'ALTER TABLE licenses DROP CONSTRAINT bad', []);
  expect(await runDueChanges(api, at, log)).toBe(1);
});

test('a license that somebody else holds is passed over, and done by the next run', async () => {
  const { live } = await newBusiness(api);
  api.setNow('2028-05-01T10:00:00.000Z');
  const at = '2028-06-01T00:00:00.000Z';
  const held = await newLicense(api, live);
  await changeLicense(api, live, 'block', held, { at });
  api.setNow(null);
  const client = await api.db.writer.pool.connect();
  await client.query('BEGIN');
  await client.query('SELECT 1 FROM licenses WHERE id = $1 FOR UPDATE', [rowId(held)]);
  expect(await runDueChanges(api, at)).toBe(0);
  await client.query('ROLLBACK');
  client.release();
  expect(await runDueChanges(api, at)).toBe(1);
});

test('a scheduled status that is not legal, and an offering whose assignee is taken, are dropped and not kept for ever', async () => {
  const { live } = await newBusiness(api);
  api.setNow('2028-07-01T10:00:00.000Z');
  const at = '2028-08-01T00:00:00.000Z';
  const assignedTo = { type: 'SITE', id: 'x' };
  const [illegal, taken] = [await newLicense(api, live), await newLicense(api, live, { assignedTo })];
  const productOfferingId = await newProductOffering(api, live);
  await newLicense(api, live, { productOfferingId, assignedTo });
  api.setNow(null);
  await api.db.sql(null, `UPDATE licenses SET pending_status = 'PENDING', pending_status_at = $2 WHERE id = $1`, [
    rowId(illegal),
    at,
  ]);
  await api.db.sql(null, `UPDATE licenses SET pending_offering_id = $2, pending_offering_at = $3 WHERE id = $1`, [
    rowId(taken),
    rowId(productOfferingId),
    at,
  ]);
  expect(await runDueChanges(api, at)).toBe(2);
  for (const id of [illegal, taken]) {
    expect((await changesOf(api, id)).at(-1)).toMatchObject({ type: 'license.change_cancelled', actor_kind: 'SYSTEM' });
  }
  expect(await runDueChanges(api, at)).toBe(0);
});
