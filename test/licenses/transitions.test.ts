import { expect, test } from '@jest/globals';
import { useApi } from '../support/api.js';
import { newApiKey, newBusiness, newCustomer, newSession } from '../support/business.js';
import { newProductOffering } from '../support/catalog.js';
import { changesOf, newLicense, rowId, rowsOf } from '../support/licenses.js';

const api = useApi();

type Event = 'activate' | 'pause' | 'resume' | 'block' | 'unblock' | 'cancel';
type State = 'PENDING' | 'ACTIVE' | 'PAUSED' | 'BLOCKED' | 'BLOCKED while paused' | 'CANCELLED';

const events: Event[] = ['activate', 'pause', 'resume', 'block', 'unblock', 'cancel'];

const documentOf = (event: Event) => {
  const type = `${event[0]?.toUpperCase()}${event.slice(1)}LicenseInput`;
  return `mutation ($input: ${type}!) { ${event}License(input: $input) {
    license {
      id status validFrom validUntil validity isActive activatedAt pausedAt cancelledAt version updatedAt
      pendingStatus { status scheduledAt }
    }
    userErrors { __typename message path code
      ... on IllegalTransition { from to allowed } ... on StaleObject { current } } } }`;
};

async function call(
  token: string,
  event: Event,
  licenseId: string,
  more: object = {},
  headers: Record<string, string> = {},
) {
  const variables = { input: { licenseId, ...more } };
  const answer = await api.call({ token, query: documentOf(event), variables, headers });
  expect(answer.errors).toBeUndefined();
  return answer.data[`${event}License`];
}

/** What leads to each state from a new license. */
const ways: Record<State, Event[]> = {
  PENDING: [],
  ACTIVE: [],
  PAUSED: ['pause'],
  BLOCKED: ['block'],
  'BLOCKED while paused': ['pause', 'block'],
  CANCELLED: ['cancel'],
};

/** The table as the documentation has it: where each event leads; what is not here is illegal. */
const legal: Record<State, Partial<Record<Event, string>>> = {
  PENDING: { activate: 'ACTIVE', cancel: 'CANCELLED' },
  ACTIVE: { pause: 'PAUSED', block: 'BLOCKED', cancel: 'CANCELLED' },
  PAUSED: { resume: 'ACTIVE', block: 'BLOCKED', cancel: 'CANCELLED' },
  BLOCKED: { unblock: 'ACTIVE', cancel: 'CANCELLED' },
  'BLOCKED while paused': { unblock: 'PAUSED', cancel: 'CANCELLED' },
  CANCELLED: {},
};

const asksFor = {
  activate: 'ACTIVE',
  pause: 'PAUSED',
  resume: 'ACTIVE',
  block: 'BLOCKED',
  unblock: 'ACTIVE',
  cancel: 'CANCELLED',
};
const changeTypes = {
  activate: 'license.activated',
  pause: 'license.paused',
  resume: 'license.resumed',
  block: 'license.blocked',
  unblock: 'license.unblocked',
  cancel: 'license.ended',
};

async function licenseIn(state: State, token: string, fields: object): Promise<string> {
  const activationDate = state === 'PENDING' ? '2999-01-01' : null;
  const id = await newLicense(api, token, { activationDate, ...fields });
  for (const event of ways[state]) expect((await call(token, event, id)).userErrors).toEqual([]);
  return id;
}

test.each(Object.keys(legal) as State[])('from %s each event does what the table says, or nothing', async (state) => {
  const { live } = await newBusiness(api);
  const fields = { productOfferingId: await newProductOffering(api, live), customerId: await newCustomer(api, live) };
  const from = state.split(' ')[0];
  for (const event of events) {
    const id = await licenseIn(state, live, fields);
    const to = legal[state][event];
    const steps = ways[state].length;
    const before = await rowsOf(api);
    const { license, userErrors } = await call(live, event, id);
    if (to) {
      expect([event, userErrors, license.status, license.version]).toEqual([event, [], to, steps + 2]);
      const changes = await changesOf(api, id);
      expect(changes).toHaveLength(steps + 2);
      expect(changes.at(-1)).toMatchObject({
        type: changeTypes[event],
        sequence: steps + 2,
        actor_kind: 'API_KEY',
        before: { status: from },
        after: { status: to },
        snapshot: { status: to, version: steps + 2 },
      });
    } else {
      expect([event, license, userErrors]).toEqual([
        event,
        null,
        [
          {
            __typename: 'IllegalTransition',
            message: expect.stringContaining(`The license is ${from}: \`${event}License\` does not apply.`),
            path: ['input', 'licenseId'],
            code: 'ILLEGAL_TRANSITION',
            from,
            to: asksFor[event],
            allowed: Object.values(legal[state]),
          },
        ],
      ]);
      expect(await rowsOf(api)).toBe(before);
    }
  }
});

test('each mutation answers with the license as it then is, and the history says who, why, and what changed', async () => {
  const { live } = await newBusiness(api);
  api.setNow('2026-03-01T10:00:00.000Z');
  const id = await newLicense(api, live, { activationDate: '2026-04-01' });
  const at = (hour: number) => `2026-03-02T${hour}:00:00.000Z`;
  const never = { activatedAt: at(10), pausedAt: null, cancelledAt: null };
  const steps: [Event, object][] = [
    ['activate', { ...never, status: 'ACTIVE', isActive: true }],
    ['pause', { ...never, status: 'PAUSED', isActive: false, pausedAt: at(11) }],
    ['block', { ...never, status: 'BLOCKED', isActive: false, pausedAt: at(11) }],
    ['unblock', { ...never, status: 'PAUSED', isActive: false, pausedAt: at(11) }],
    ['resume', { ...never, status: 'ACTIVE', isActive: true }],
    ['block', { ...never, status: 'BLOCKED', isActive: false }],
    ['unblock', { ...never, status: 'ACTIVE', isActive: true }],
    ['cancel', { ...never, status: 'CANCELLED', isActive: false, cancelledAt: at(17) }],
  ];
  for (const [i, [event, expected]] of steps.entries()) {
    api.setNow(at(10 + i));
    const answer = await call(live, event, id, { reason: `  why ${i} `, expectedVersion: i + 1 }, { 'x-actor': 'Ann' });
    expect(answer).toEqual({
      license: {
        id,
        validFrom: at(10),
        validUntil: null,
        validity: 'CURRENT',
        pendingStatus: null,
        ...expected,
        version: i + 2,
        updatedAt: at(10 + i),
      },
      userErrors: [],
    });
  }
  api.setNow(null);
  const changes = (await changesOf(api, id)).slice(1);
  expect(changes.map(({ type, reason, actor_name }) => [type, reason, actor_name])).toEqual(
    steps.map(([event], i) => [changeTypes[event], `why ${i}`, 'Ann']),
  );
  expect(changes.slice(0, 3).map(({ before, after }) => [before, after])).toEqual([
    [
      { status: 'PENDING', validFrom: '2026-04-01T00:00:00.000Z', activatedAt: null },
      { status: 'ACTIVE', validFrom: at(10), activatedAt: at(10) },
    ],
    [
      { status: 'ACTIVE', pausedAt: null },
      { status: 'PAUSED', pausedAt: at(11) },
    ],
    [
      { status: 'PAUSED', statusBeforeBlock: null },
      { status: 'BLOCKED', statusBeforeBlock: 'PAUSED' },
    ],
  ]);
});

test('a license whose start has come is active: that is written first, by the server, dated with the start', async () => {
  const { live } = await newBusiness(api);
  api.setNow('2026-03-01T10:00:00.000Z');
  const id = await newLicense(api, live, { activationDate: '2026-04-01' });
  const refused = await newLicense(api, live, { activationDate: '2026-04-01' });
  api.setNow('2026-04-02T10:00:00.000Z');
  const { license } = await call(live, 'pause', id, { expectedVersion: 1, reason: 'late' });
  const before = await rowsOf(api);
  const { userErrors } = await call(live, 'activate', refused);
  api.setNow(null);
  const start = '2026-04-01T00:00:00.000Z';
  expect(license).toMatchObject({ status: 'PAUSED', validFrom: start, activatedAt: start, version: 3 });
  expect((await changesOf(api, id)).slice(1)).toMatchObject([
    {
      type: 'license.activated',
      sequence: 2,
      actor_kind: 'SYSTEM',
      reason: null,
      before: { status: 'PENDING', activatedAt: null },
      after: { status: 'ACTIVE', activatedAt: start },
      created_at: new Date(start),
    },
    { type: 'license.paused', sequence: 3, actor_kind: 'API_KEY', reason: 'late', before: { status: 'ACTIVE' } },
  ]);
  expect(userErrors).toMatchObject([{ from: 'ACTIVE', to: 'ACTIVE', allowed: ['PAUSED', 'BLOCKED', 'CANCELLED'] }]);
  expect(await rowsOf(api)).toBe(before);
});

test('cancelling frees the assignee; activating early needs the assignee free until the start', async () => {
  const { live } = await newBusiness(api);
  const productOfferingId = await newProductOffering(api, live);
  const fields = { productOfferingId, assignedTo: { type: 'SITE', id: 'x' } };
  const first = await newLicense(api, live, fields);
  expect((await call(live, 'cancel', first)).userErrors).toEqual([]);
  const [row] = await api.db.sql<{ empty: boolean }>(
    null,
    'SELECT isempty(occupies) AS empty FROM licenses WHERE id = $1',
    [rowId(first)],
  );
  expect(row).toEqual({ empty: true });
  const later = await newLicense(api, live, { ...fields, activationDate: '2999-01-01' });
  const now = await newLicense(api, live, { productOfferingId });
  await api.db.sql(
    null,
    `UPDATE licenses SET valid_until = '2998-01-01', assigned_to_type = 'SITE', assigned_to_id = 'x' WHERE id = $1`,
    [rowId(now)],
  );
  const before = await rowsOf(api);
  expect((await call(live, 'activate', later)).userErrors).toMatchObject([
    { code: 'ASSIGNEE_TAKEN', path: ['input', 'licenseId'] },
  ]);
  expect(await rowsOf(api)).toBe(before);
});

test('a scheduled change that is not legal any more is dropped, any other stays', async () => {
  const { live } = await newBusiness(api);
  const id = await newLicense(api, live);
  const schedule = (status: string) =>
    api.db.sql(
      null,
      `UPDATE licenses SET pending_status = $2::license_status, pending_status_at = '2999-01-01' WHERE id = $1`,
      [rowId(id), status],
    );
  const scheduledAt = '2999-01-01T00:00:00.000Z';
  await schedule('CANCELLED');
  expect((await call(live, 'pause', id)).license.pendingStatus).toEqual({ status: 'CANCELLED', scheduledAt });
  await schedule('ACTIVE');
  expect((await call(live, 'block', id)).license.pendingStatus).toBeNull();
});

test.each(events)(
  '%sLicense: what is not there, stale, or of another mode or brand is refused and changes nothing',
  async (event) => {
    const { live, test: testToken } = await newBusiness(api);
    const theirs = await newBusiness(api);
    const state = (Object.keys(legal) as State[]).find((one) => legal[one][event]) as State;
    const id = await licenseIn(state, live, {});
    const version = ways[state].length + 1;
    const url = `${rowId(id)}.example.com`;
    const createBrand = `mutation ($url: String!) { createBrand(input: { name: "Second", url: $url }) { userErrors { message } } }`;
    await api.data({ token: live, query: createBrand, variables: { url } });
    const productOfferingId = await newProductOffering(api, live);
    const cases: [string, object, Record<string, string>, string, string][] = [
      ['nonsense', {}, {}, 'LICENSE_NOT_FOUND', 'input.licenseId'],
      [await licenseIn(state, theirs.live, {}), {}, {}, 'LICENSE_NOT_FOUND', 'input.licenseId'],
      [await licenseIn(state, testToken, { productOfferingId }), {}, {}, 'MODE_MISMATCH', 'input.licenseId'],
      [id, {}, { 'brand-url': url }, 'BRAND_MISMATCH', 'input.licenseId'],
      [id, { expectedVersion: version + 1 }, {}, 'STALE_OBJECT', 'input.expectedVersion'],
      [id, { reason: 'n'.repeat(2001) }, {}, 'INVALID_INPUT', 'input.reason'],
    ];
    const before = await rowsOf(api);
    for (const [licenseId, more, headers, code, path] of cases) {
      const { license, userErrors } = await call(live, event, licenseId, more, headers);
      expect([license, userErrors]).toEqual([null, [expect.objectContaining({ code, path: path.split('.') })]]);
      if (code === 'STALE_OBJECT') expect(userErrors[0].current).toBe(version);
    }
    const query = documentOf(event);
    const customerId = await newCustomer(api, live);
    for (const [token, code] of [
      [await newApiKey(api, live, ['LICENSES_READ', 'GRANTS_WRITE']), 'FORBIDDEN'],
      [await newSession(api, live, customerId), 'FORBIDDEN'],
      [null, 'UNAUTHENTICATED'],
    ] as const) {
      const answer = await api.call({ token, query, variables: { input: { licenseId: id } } });
      expect(answer.errors?.map(({ extensions }) => extensions.code)).toEqual([code]);
    }
    const after = await rowsOf(api);
    expect(JSON.parse(after).filter(({ name }: { name: string }) => name === 'licenses')).toEqual(
      JSON.parse(before).filter(({ name }: { name: string }) => name === 'licenses'),
    );
    expect(await changesOf(api, id)).toHaveLength(version);
  },
);

test.each(events)('twenty calls of %sLicense at once make one change', async (event) => {
  const { live } = await newBusiness(api);
  const state = (Object.keys(legal) as State[]).find((one) => legal[one][event]) as State;
  // Two rounds: in the first one connections are still being made, so that the calls come one after the other.
  for (let round = 0; round < 2; round++) {
    const id = await licenseIn(state, live, {});
    const answers = await Promise.all(Array.from({ length: 20 }, () => call(live, event, id)));
    const codes = answers.flatMap(({ userErrors }) => userErrors.map((error: { code: string }) => error.code));
    expect(codes).toEqual(Array(19).fill('ILLEGAL_TRANSITION'));
    const types = (await changesOf(api, id)).map(({ type }) => type);
    expect(types).toEqual(['license.created', ...ways[state].map((way) => changeTypes[way]), changeTypes[event]]);
  }
});

test('pausing against cancelling: it ends cancelled, whoever comes first, and nothing follows the end', async () => {
  const { live } = await newBusiness(api);
  for (let round = 0; round < 6; round++) {
    const id = await newLicense(api, live);
    const [paused, cancelled] = await Promise.all([call(live, 'pause', id), call(live, 'cancel', id)]);
    expect(cancelled.userErrors).toEqual([]);
    const wasPaused = paused.userErrors.length === 0;
    if (!wasPaused) expect(paused.userErrors).toMatchObject([{ from: 'CANCELLED', to: 'PAUSED', allowed: [] }]);
    expect((await changesOf(api, id)).map(({ type }) => type)).toEqual([
      'license.created',
      ...(wasPaused ? ['license.paused'] : []),
      'license.ended',
    ]);
  }
});

test('a repeated call under one idempotency key is answered, not refused', async () => {
  const { live } = await newBusiness(api);
  const id = await newLicense(api, live);
  const first = await call(live, 'pause', id, { idempotencyKey: 'once' });
  expect(await call(live, 'pause', id, { idempotencyKey: 'once' })).toEqual(first);
  expect(await changesOf(api, id)).toHaveLength(2);
});
