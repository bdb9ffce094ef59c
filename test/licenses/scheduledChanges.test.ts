import { afterEach, expect, test } from '@jest/globals';
import { useApi } from '../support/api.js';
import { newBusiness, newCustomer } from '../support/business.js';
import { newProductOffering } from '../support/catalog.js';
import {
  changeLicense,
  changesOf,
  newKeyedOffering,
  newLicense,
  rowId,
  rowsOf,
  runDueChanges,
  type LicenseEvent,
} from '../support/licenses.js';

const api = useApi();
afterEach(() => api.setNow(null));

type Event = Exclude<LicenseEvent, 'cancelPending'>;
type State =
  | 'PENDING, before its start'
  | 'PENDING, at its start'
  | 'ACTIVE'
  | 'PAUSED'
  | 'BLOCKED'
  | 'BLOCKED while paused'
  | 'CANCELLED';

const now = '2026-03-01T10:00:00.000Z';
const start = '2026-04-01T00:00:00.000Z';
const events: Event[] = ['activate', 'pause', 'resume', 'block', 'unblock', 'cancel'];

/** What leads to each state from a new license; and what each event leads to at the scheduled instant. */
const table: Record<State, { ways: Event[]; at: string; from: string; legal: Partial<Record<Event, string>> }> = {
  'PENDING, before its start': {
    ways: [],
    at: '2026-03-31T23:59:59.999Z',
    from: 'PENDING',
    legal: { activate: 'ACTIVE', cancel: 'CANCELLED' },
  },
  'PENDING, at its start': {
    ways: [],
    at: start,
    from: 'ACTIVE',
    legal: { pause: 'PAUSED', block: 'BLOCKED', cancel: 'CANCELLED' },
  },
  ACTIVE: {
    ways: ['activate'],
    at: start,
    from: 'ACTIVE',
    legal: { pause: 'PAUSED', block: 'BLOCKED', cancel: 'CANCELLED' },
  },
  PAUSED: {
    ways: ['activate', 'pause'],
    at: start,
    from: 'PAUSED',
    legal: { resume: 'ACTIVE', block: 'BLOCKED', cancel: 'CANCELLED' },
  },
  BLOCKED: {
    ways: ['activate', 'block'],
    at: start,
    from: 'BLOCKED',
    legal: { unblock: 'ACTIVE', cancel: 'CANCELLED' },
  },
  'BLOCKED while paused': {
    ways: ['activate', 'pause', 'block'],
    at: start,
    from: 'BLOCKED',
    legal: { unblock: 'PAUSED', cancel: 'CANCELLED' },
  },
  CANCELLED: { ways: ['cancel'], at: start, from: 'CANCELLED', legal: {} },
};

async function licenseIn(state: State, token: string, fields: object): Promise<string> {
  const id = await newLicense(api, token, { activationDate: '2026-04-01', ...fields });
  for (const event of table[state].ways) expect((await changeLicense(api, token, event, id)).userErrors).toEqual([]);
  return id;
}

async function look(token: string, id: string): Promise<any> {
  const query = `query ($id: ID!) { license(id: $id) {
    status validity isActive validFrom activatedAt pausedAt cancelledAt pendingStatus { status scheduledAt } } }`;
  return (await api.data({ token, query, variables: { id } })).license;
}

async function idsOf(token: string, where: object): Promise<string[]> {
  const query = 'query ($where: LicenseWhere!) { licenses(first: 100, where: $where) { nodes { id } } }';
  const { licenses } = await api.data({ token, query, variables: { where } });
  return licenses.nodes.map(({ id }: { id: string }) => id);
}

test.each(Object.keys(table) as State[])(
  'of a license that is %s, each event is scheduled as the table says, comes true unwritten, and reads as written',
  async (state) => {
    const { live } = await newBusiness(api);
    const fields = { productOfferingId: await newProductOffering(api, live), customerId: await newCustomer(api, live) };
    const { ways, at, from, legal } = table[state];
    const status = state.split(/[, ]/)[0] as string;
    for (const event of events) {
      api.setNow(now);
      const id = await licenseIn(state, live, fields);
      const before = await rowsOf(api);
      const { license, userErrors } = await changeLicense(api, live, event, id, { at, reason: 'planned' });
      const to = legal[event];
      if (!to) {
        expect([event, license, userErrors]).toMatchObject([
          event,
          null,
          [{ code: 'ILLEGAL_TRANSITION', path: ['input', 'at'], from, allowed: Object.values(legal) }],
        ]);
        expect(await rowsOf(api)).toBe(before);
        continue;
      }
      const scheduled = { status: to, scheduledAt: at };
      expect([event, userErrors, license.status, license.pendingStatus]).toEqual([event, [], status, scheduled]);
      const changes = await changesOf(api, id);
      expect(changes).toHaveLength(ways.length + 2);
      expect(changes.at(-1)).toMatchObject({
        type: 'license.change_scheduled',
        sequence: ways.length + 2,
        actor_kind: 'API_KEY',
        reason: 'planned',
        before: { pendingStatus: null, pendingStatusAt: null },
        after: { pendingStatus: to, pendingStatusAt: at },
        snapshot: { status, pendingStatus: to },
      });
      api.setNow(new Date(Date.parse(at) - 1));
      const { validFrom } = await look(live, id);
      expect(await look(live, id)).toMatchObject({ status, pendingStatus: scheduled });
      api.setNow(at);
      const seen = await look(live, id);
      expect(seen).toMatchObject({ status: to, pendingStatus: null, isActive: to === 'ACTIVE' });
      expect(seen.validFrom).toBe(event === 'activate' ? at : validFrom);
      expect(await idsOf(live, { id: { in: [id] }, status: { in: [to] }, validFrom: { gte: seen.validFrom } })).toEqual(
        [id],
      );
      expect(await idsOf(live, { id: { in: [id] }, validFrom: { lt: seen.validFrom } })).toEqual([]);
      expect(await changesOf(api, id)).toHaveLength(ways.length + 2);
      expect(await runDueChanges(api, at)).toBeGreaterThan(0);
      expect(await look(live, id)).toEqual(seen);
      const written = (await changesOf(api, id)).slice(ways.length + 2);
      expect(written.map(({ actor_kind, reason, created_at }) => [actor_kind, reason, created_at])).toEqual(
        written.map(() => ['SYSTEM', null, new Date(at)]),
      );
      expect(written.at(-1)).toMatchObject({ after: { status: to } });
    }
  },
);

test('an instant in the past is refused, also beside a long reason; now means at once', async () => {
  const { live } = await newBusiness(api);
  const id = await newLicense(api, live);
  api.setNow('2027-03-01T10:00:00.000Z');
  const before = await rowsOf(api);
  const past = { at: '2027-03-01T09:59:59.999Z' };
  expect((await changeLicense(api, live, 'pause', id, past)).userErrors).toMatchObject([
    { code: 'INVALID_INPUT', path: ['input', 'at'] },
  ]);
  const both = await changeLicense(api, live, 'pause', id, { ...past, reason: 'n'.repeat(2001) });
  expect(both.userErrors.map(({ path }: { path: string[] }) => path[1])).toEqual(['reason', 'at']);
  expect(await rowsOf(api)).toBe(before);
  const { license } = await changeLicense(api, live, 'pause', id, { at: '2027-03-01T10:00:00.000Z' });
  expect(license).toMatchObject({ status: 'PAUSED', pausedAt: '2027-03-01T10:00:00.000Z', pendingStatus: null });
});

test('a retry under one idempotency key is answered even when the instant has passed meanwhile', async () => {
  const { live } = await newBusiness(api);
  api.setNow(now);
  const id = await newLicense(api, live);
  const more = { at: '2026-03-01T11:00:00.000Z', idempotencyKey: 'once' };
  expect((await changeLicense(api, live, 'pause', id, more)).license.pendingStatus.status).toBe('PAUSED');
  api.setNow('2026-03-01T12:00:00.000Z');
  const { license, userErrors } = await changeLicense(api, live, 'pause', id, more);
  expect([license.status, license.pausedAt, userErrors]).toEqual(['PAUSED', '2026-03-01T11:00:00.000Z', []]);
});

test('a new schedule replaces the one before, judged without it; the record tells both; the same again does nothing', async () => {
  const { live } = await newBusiness(api);
  api.setNow(now);
  const id = await newLicense(api, live);
  const [first, second] = ['2026-05-01T00:00:00.000Z', '2026-06-01T00:00:00.000Z'];
  await changeLicense(api, live, 'pause', id, { at: first });
  const { license } = await changeLicense(api, live, 'pause', id, { at: second, expectedVersion: 2 });
  expect(license).toMatchObject({ version: 3, pendingStatus: { status: 'PAUSED', scheduledAt: second } });
  expect((await changesOf(api, id)).at(-1)).toMatchObject({
    type: 'license.change_scheduled',
    before: { pendingStatusAt: first },
    after: { pendingStatusAt: second },
  });
  expect((await changeLicense(api, live, 'pause', id, { at: second })).license.version).toBe(3);
  expect((await changeLicense(api, live, 'resume', id, { at: second })).userErrors).toMatchObject([{ from: 'ACTIVE' }]);
  const stale = await changeLicense(api, live, 'cancel', id, { at: second, expectedVersion: 2 });
  expect(stale.userErrors).toMatchObject([{ code: 'STALE_OBJECT', current: 3 }]);
});

test('a change at once drops a schedule that it makes illegal, and its record says so; a legal one stays', async () => {
  const { live } = await newBusiness(api);
  api.setNow(now);
  const id = await newLicense(api, live);
  const at = '2026-05-01T00:00:00.000Z';
  await changeLicense(api, live, 'block', id, { at });
  expect((await changeLicense(api, live, 'pause', id)).license.pendingStatus).toEqual({
    status: 'BLOCKED',
    scheduledAt: at,
  });
  expect((await changeLicense(api, live, 'block', id)).license.pendingStatus).toBeNull();
  expect((await changesOf(api, id)).at(-1)).toMatchObject({
    type: 'license.blocked',
    before: { pendingStatus: 'BLOCKED', pendingStatusAt: at },
    after: { pendingStatus: null, pendingStatusAt: null },
  });
  const pending = await newLicense(api, live, { activationDate: '2026-04-01' });
  await changeLicense(api, live, 'pause', pending, { at });
  expect((await changeLicense(api, live, 'activate', pending)).license).toMatchObject({
    status: 'ACTIVE',
    pendingStatus: { status: 'PAUSED', scheduledAt: at },
  });
});

test('a version that was read before something came due still fits after it', async () => {
  const { live } = await newBusiness(api);
  api.setNow(now);
  const id = await newLicense(api, live);
  await changeLicense(api, live, 'pause', id, { at: start });
  api.setNow('2026-04-02T00:00:00.000Z');
  const { license } = await changeLicense(api, live, 'resume', id, { expectedVersion: 2 });
  expect(license).toMatchObject({ status: 'ACTIVE', version: 4 });
  expect((await changesOf(api, id)).map(({ type, actor_kind }) => [type, actor_kind])).toEqual([
    ['license.created', 'API_KEY'],
    ['license.change_scheduled', 'API_KEY'],
    ['license.paused', 'SYSTEM'],
    ['license.resumed', 'API_KEY'],
  ]);
});

test('twenty schedules at once: each takes effect in turn, one stands', async () => {
  const { live } = await newBusiness(api);
  const id = await newLicense(api, live);
  const dates = Array.from({ length: 20 }, (_, i) => new Date(Date.UTC(2999, 0, i + 1)).toISOString());
  const answers = await Promise.all(dates.map((at) => changeLicense(api, live, 'pause', id, { at })));
  expect(answers.flatMap(({ userErrors }) => userErrors)).toEqual([]);
  const changes = await changesOf(api, id);
  expect(changes.map(({ sequence }) => sequence)).toEqual(Array.from({ length: 21 }, (_, i) => i + 1));
  expect((await look(live, id)).pendingStatus).toEqual({
    status: 'PAUSED',
    scheduledAt: changes.at(-1)?.after?.pendingStatusAt,
  });
});

test('a scheduled cancellation frees the assignee from its instant; what would lengthen it again is refused while taken', async () => {
  const { live } = await newBusiness(api);
  api.setNow(now);
  const productOfferingId = await newProductOffering(api, live);
  const fields = { productOfferingId, assignedTo: { type: 'SITE', id: 'x' } };
  const first = await newLicense(api, live, fields);
  await changeLicense(api, live, 'cancel', first, { at: start });
  const second = await newLicense(api, live, { ...fields, activationDate: '2026-04-01' });
  const before = await rowsOf(api);
  const taken = [{ code: 'ASSIGNEE_TAKEN', path: ['input', 'licenseId'] }];
  expect((await changeLicense(api, live, 'cancelPending', first)).userErrors).toMatchObject(taken);
  expect((await changeLicense(api, live, 'pause', first, { at: start })).userErrors).toMatchObject(taken);
  expect(
    (await changeLicense(api, live, 'cancel', first, { at: '2026-04-01T00:00:00.001Z' })).userErrors,
  ).toMatchObject(taken);
  expect((await changeLicense(api, live, 'activate', second)).userErrors).toMatchObject(taken);
  expect(
    (await changeLicense(api, live, 'activate', second, { at: '2026-03-31T00:00:00.000Z' })).userErrors,
  ).toMatchObject(taken);
  expect(await rowsOf(api)).toBe(before);
  api.setNow(start);
  expect([(await look(live, first)).status, (await look(live, second)).status]).toEqual(['CANCELLED', 'ACTIVE']);
  await runDueChanges(api, start);
  expect((await changesOf(api, first)).at(-1)).toMatchObject({ type: 'license.ended', created_at: new Date(start) });
  expect((await changesOf(api, second)).at(-1)).toMatchObject({
    type: 'license.activated',
    created_at: new Date(start),
  });
});

test('a scheduled activation takes its time from the moment it is scheduled, so that nothing can get into its way', async () => {
  const { live } = await newBusiness(api);
  api.setNow(now);
  const productOfferingId = await newProductOffering(api, live);
  const fields = { productOfferingId, assignedTo: { type: 'SITE', id: 'x' } };
  const id = await newLicense(api, live, { ...fields, activationDate: '2026-04-01' });
  const at = '2026-03-15T00:00:00.000Z';
  await changeLicense(api, live, 'activate', id, { at });
  await api.db.sql(null, `UPDATE licenses SET valid_until = '2026-04-02' WHERE id = $1`, [rowId(id)]);
  const create = `mutation ($input: CreateLicenseInput!) { createLicense(input: $input) { license { id } userErrors { code } } }`;
  const input = { ...fields, customerId: await newCustomer(api, live) };
  const { createLicense } = (await api.call({ token: live, query: create, variables: { input } })).data;
  expect(createLicense).toEqual({ license: null, userErrors: [{ code: 'ASSIGNEE_TAKEN' }] });
  expect((await changeLicense(api, live, 'cancelPending', id)).license).toMatchObject({
    validFrom: start,
    pendingStatus: { status: 'ACTIVE', scheduledAt: start },
  });
});

/** Binds a license to the one key of another. */
async function bindToKeyOf(first: string, second: string): Promise<void> {
  await api.db.sql(
    null,
    `INSERT INTO license_key_bindings (business_id, mode, license_key_id, license_id, created_at)
      SELECT b.business_id, b.mode, b.license_key_id, $2, now() FROM license_key_bindings b WHERE b.license_id = $1`,
    [rowId(first), rowId(second)],
  );
}

test('two licenses on one key: an early start, or a later end, that would overlap is refused as such', async () => {
  const { live } = await newBusiness(api);
  api.setNow(now);
  const keyed = await newKeyedOffering(api, live);
  const first = await newLicense(api, live, { productOfferingId: keyed });
  await changeLicense(api, live, 'cancel', first, { at: start });
  const second = await newLicense(api, live, { activationDate: '2026-04-01' });
  await bindToKeyOf(first, second);
  const before = await rowsOf(api);
  const inUse = [{ code: 'LICENSE_KEY_IN_USE', path: ['input', 'licenseId'] }];
  expect((await changeLicense(api, live, 'activate', second)).userErrors).toMatchObject(inUse);
  expect(
    (await changeLicense(api, live, 'activate', second, { at: '2026-03-31T00:00:00.000Z' })).userErrors,
  ).toMatchObject(inUse);
  expect((await changeLicense(api, live, 'cancelPending', first)).userErrors).toMatchObject(inUse);
  expect((await changeLicense(api, live, 'block', first, { at: start })).userErrors).toMatchObject(inUse);
  expect(await rowsOf(api)).toBe(before);
});

test('two licenses on one key that end at the same moment, at once or by schedule: the last one switches it off', async () => {
  const { live } = await newBusiness(api);
  const productOfferingId = await newKeyedOffering(api, live);
  const other = await newProductOffering(api, live);
  const customerId = await newCustomer(api, live);
  const statusOf = async (id: string) => {
    const query = 'query ($id: ID!) { license(id: $id) { licenseKeys { status } } }';
    return (await api.data({ token: live, query, variables: { id } })).license.licenseKeys[0].status;
  };
  for (let round = 0; round < 8; round++) {
    api.setNow(now);
    const first = await newLicense(api, live, { productOfferingId, customerId });
    await api.db.sql(null, `UPDATE licenses SET valid_until = '2026-04-01' WHERE id = $1`, [rowId(first)]);
    const second = await newLicense(api, live, { productOfferingId: other, customerId, activationDate: '2026-04-01' });
    await bindToKeyOf(first, second);
    if (round % 2) {
      await Promise.all([first, second].map((id) => changeLicense(api, live, 'cancel', id)));
    } else {
      const at = '2026-03-02T00:00:00.000Z';
      for (const id of [first, second]) await changeLicense(api, live, 'cancel', id, { at });
      api.setNow(new Date(Date.parse(at) - 1));
      expect(await statusOf(first)).toBe('ACTIVE');
      api.setNow(at);
      expect(await statusOf(first)).toBe('DISABLED');
      await Promise.all([runDueChanges(api, at), runDueChanges(api, at)]);
    }
    const [key] = await api.db.sql<{ status: string }>(
      null,
      'SELECT status FROM license_keys k JOIN license_key_bindings b ON b.license_key_id = k.id WHERE b.license_id = $1',
      [rowId(first)],
    );
    expect([round, key?.status, await statusOf(second)]).toEqual([round, 'DISABLED', 'DISABLED']);
  }
});

test('scheduling against fulfilling: the key hangs on the license as it then is, whoever comes first', async () => {
  const { live } = await newBusiness(api);
  const productOfferingId = await newKeyedOffering(api, live, { fulfillmentMode: 'MANUAL' });
  const customerId = await newCustomer(api, live);
  const fulfil = `mutation ($input: FulfillLicenseKeyGrantInput!) { fulfillLicenseKeyGrant(input: $input) { userErrors { code } } }`;
  for (let round = 0; round < 6; round++) {
    const id = await newLicense(api, live, { productOfferingId, customerId });
    const query = 'query ($id: ID!) { license(id: $id) { grants { id } } }';
    const { license } = await api.data({ token: live, query, variables: { id } });
    const input = { grantId: license.grants[0].id, key: `SCHEDULE-${round}` };
    const [scheduled, fulfilled] = await Promise.all([
      changeLicense(api, live, 'cancel', id, { at: '2999-01-01T00:00:00.000Z' }),
      api.call({ token: live, query: fulfil, variables: { input } }),
    ]);
    expect([scheduled.userErrors, fulfilled.errors, fulfilled.data?.fulfillLicenseKeyGrant.userErrors]).toEqual([
      [],
      undefined,
      [],
    ]);
    const [row] = await api.db.sql<{ same: boolean }>(
      null,
      'SELECT b.occupies = l.occupies AS same FROM license_key_bindings b JOIN licenses l ON l.id = b.license_id WHERE l.id = $1',
      [rowId(id)],
    );
    expect(row).toEqual({ same: true });
  }
});

test('a scheduled offering is true at its instant for fields and filters, unwritten as written; a cancellation drops it', async () => {
  const { live } = await newBusiness(api);
  api.setNow(now);
  const [old, next] = [
    await newProductOffering(api, live),
    await newProductOffering(api, live, { licenseType: 'premium' }),
  ];
  const customerId = await newCustomer(api, live);
  const [id, cancelled] = [
    await newLicense(api, live, { productOfferingId: old, customerId }),
    await newLicense(api, live, { productOfferingId: old, customerId }),
  ];
  await api.db.sql(
    null,
    'UPDATE licenses SET pending_offering_id = $2, pending_offering_at = $3 WHERE id = ANY($1::uuid[])',
    [[id, cancelled].map(rowId), rowId(next), start],
  );
  await changeLicense(api, live, 'cancel', cancelled, { at: start });
  const read = async () => {
    const query = 'query ($id: ID!) { license(id: $id) { type productOffering { id } } }';
    const one = async (license: string) => (await api.data({ token: live, query, variables: { id: license } })).license;
    const found = (where: object) => idsOf(live, { customerId: { in: [customerId] }, ...where });
    return {
      license: await one(id),
      cancelled: await one(cancelled),
      old: await found({ productOfferingId: { in: [old] } }),
      next: await found({ productOfferingId: { in: [next] } }),
      standard: await found({ type: { in: ['standard'] } }),
      premium: await found({ type: { in: ['premium'] } }),
    };
  };
  const stays = { type: 'standard', productOffering: { id: old } };
  api.setNow(new Date(Date.parse(start) - 1));
  expect(await read()).toMatchObject({ license: stays, cancelled: stays, next: [], premium: [] });
  api.setNow(start);
  const seen = await read();
  expect(seen).toEqual({
    license: { type: 'premium', productOffering: { id: next } },
    cancelled: stays,
    old: [cancelled],
    next: [id],
    standard: [cancelled],
    premium: [id],
  });
  await runDueChanges(api, start);
  expect(await read()).toEqual(seen);
  expect((await changesOf(api, id)).at(-1)?.type).toBe('license.offering_changed');
  expect((await changesOf(api, cancelled)).at(-1)).toMatchObject({
    type: 'license.ended',
    before: { pendingOfferingAt: start },
    after: { pendingOfferingId: null, pendingOfferingAt: null },
  });
});

test('keeping a license against selling its assignee’s time: of the two, one is done and the other refused', async () => {
  const { live } = await newBusiness(api);
  const productOfferingId = await newProductOffering(api, live);
  const customerId = await newCustomer(api, live);
  const create = `mutation ($input: CreateLicenseInput!) { createLicense(input: $input) { userErrors { code } } }`;
  for (let round = 0; round < 6; round++) {
    const fields = { productOfferingId, customerId, assignedTo: { type: 'SITE', id: `race ${round}` } };
    const id = await newLicense(api, live, fields);
    await changeLicense(api, live, 'cancel', id, { at: '2999-01-01T00:00:00.000Z' });
    const input = { ...fields, activationDate: '2999-01-01' };
    const [kept, sold] = await Promise.all([
      changeLicense(api, live, 'cancelPending', id),
      api.call({ token: live, query: create, variables: { input } }),
    ]);
    expect(sold.errors).toBeUndefined();
    const codes = [kept.userErrors, sold.data.createLicense.userErrors].map((errors) =>
      errors.map(({ code }: any) => code),
    );
    expect(codes).toHaveLength(2);
    expect(codes.flat()).toEqual(['ASSIGNEE_TAKEN']);
  }
});
