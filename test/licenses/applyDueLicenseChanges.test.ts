import { expect, test } from '@jest/globals';
import { pino } from 'pino';
import { readConfig } from '../../src/config.js';
import { keyringOf } from '../../src/keyring.js';
import { applyDueLicenseChanges } from '../../src/licenses/applyDueLicenseChanges.js';
import { testEnvironment, useApi } from '../support/api.js';
import { newBusiness, newCustomer } from '../support/business.js';
import { newProductOffering } from '../support/catalog.js';
import { changesOf, newLicense, rowId } from '../support/licenses.js';

const api = useApi();

const keyring = keyringOf(readConfig(testEnvironment));
/** One worker's run at an instant. */
const run = (instant: Date | string, log = pino({ level: 'silent' })) => {
  const now = new Date(instant);
  return applyDueLicenseChanges({ db: api.db, keyring, mailFolder: null, clock: () => now, now, log });
};

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
  expect(await run(before)).toBe(0);
  const counts = await Promise.all([1, 2].map(() => run(start)));
  expect(counts.reduce((left, right) => left + right)).toBe(15);
  for (const id of due) {
    const changes = await changesOf(api, id);
    expect(changes.map(({ type, sequence }) => [type, sequence])).toEqual([
      ['license.created', 1],
      ['license.activated', 2],
    ]);
  }
  expect((await changesOf(api, later)).map(({ type }) => type)).toEqual(['license.created']);
  expect(await run(start)).toBe(0);
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
  expect(await run(late)).toBe(1);
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
  const workers = (instant: string) => Promise.all([1, 2, 3, 4].map(() => run(instant)));
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
