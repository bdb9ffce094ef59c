import { expect, test } from '@jest/globals';
import { pino } from 'pino';
import { activateLicenseKey } from '../../src/activations/activateLicenseKey.js';
import { heartbeatActivation } from '../../src/activations/heartbeatActivation.js';
import { lapseActivations } from '../../src/activations/lapseActivations.js';
import { readConfig } from '../../src/config.js';
import { keyringOf } from '../../src/keyring.js';
import { testEnvironment, useApi } from '../support/api.js';
import { newApiKey, newBusiness, newCustomer, newSession } from '../support/business.js';
import { activated, newLicensedKey, onDevice, validate } from '../support/keys.js';
import { changesOf, rowId } from '../support/licenses.js';

const api = useApi();
const counted = (token: string, activationsLimit = 1, fields: object = {}) =>
  newLicensedKey(api, token, { licenseKey: { activationsLimit }, ...fields });

async function at<T>(instant: Date, work: () => Promise<T>): Promise<T> {
  api.setNow(instant);
  try {
    return await work();
  } finally {
    api.setNow(null);
  }
}

const seconds = (count: number) => new Date(Date.now() + count * 1_000);
const beat = async (business: { brandUrl: string }, input: Record<string, unknown>) =>
  (await onDevice(api, business, 'heartbeatActivation', input)).data.heartbeatActivation;

/** The schedule's task, as the worker runs it at an instant. */
function lapse(now: Date): Promise<number> {
  const keyring = keyringOf(readConfig(testEnvironment));
  return lapseActivations({
    db: api.db,
    keyring,
    mailFolder: null,
    clock: () => now,
    now,
    log: pino({ level: 'silent' }),
  } as never);
}

test('a heartbeat renews the lease and is no change of the activation', async () => {
  const business = await newBusiness(api);
  const { key } = await counted(business.live);
  const first = await activated(api, business, { key, fingerprint: 'a', leaseSeconds: 60 });
  const now = seconds(50);
  const { activation, userErrors } = await at(now, () => beat(business, { key, fingerprint: 'a' }));
  const leaseUntil = new Date(now.getTime() + 60_000).toISOString();
  expect([activation, userErrors]).toEqual([{ ...first, lastSeenAt: now.toISOString(), leaseUntil }, []]);
  expect(await changesOf(api, first.id)).toHaveLength(1);
  // What comes late does not shorten the lease.
  const late = await at(seconds(20), () => beat(business, { key, fingerprint: 'a' }));
  expect(late.activation).toMatchObject({ lastSeenAt: now.toISOString(), leaseUntil });
  const permanent = await counted(business.live);
  await activated(api, business, { key: permanent.key, fingerprint: 'a' });
  const seen = await at(now, () => beat(business, { key: permanent.key, fingerprint: 'a' }));
  expect(seen.activation).toMatchObject({ lastSeenAt: now.toISOString(), leaseUntil: null });
});

test('a lease that has run out, a device that was freed or never there, and a key that is not valid are refused', async () => {
  const business = await newBusiness(api);
  const { key, licenseId } = await counted(business.live, 2);
  const { id, leaseUntil } = await activated(api, business, { key, fingerprint: 'a', leaseSeconds: 60 });
  await activated(api, business, { key, fingerprint: 'b' });
  const freed = (await onDevice(api, business, 'deactivateLicenseKey', { key, fingerprint: 'b' })).data
    .deactivateLicenseKey.activation;
  const refused = async (input: Record<string, unknown>, now = new Date()) => {
    const { activation, userErrors } = await at(now, () => beat(business, { key, ...input }));
    expect(activation).toBeNull();
    return userErrors.map(({ message: _, __typename: __, ...rest }: { message: string; __typename: string }) => rest);
  };
  const ended = { code: 'ACTIVATION_ENDED', path: ['input', 'fingerprint'] };
  const until = new Date(leaseUntil as string);
  expect(await refused({ fingerprint: 'a' }, until)).toEqual([{ ...ended, status: 'LAPSED', endedAt: leaseUntil }]);
  expect((await at(new Date(until.getTime() - 1), () => beat(business, { key, fingerprint: 'a' }))).userErrors).toEqual(
    [],
  );
  expect(await refused({ fingerprint: 'b' })).toEqual([{ ...ended, status: 'DEACTIVATED', endedAt: freed.endedAt }]);
  expect(await refused({ fingerprint: 'c' })).toEqual([
    { code: 'ACTIVATION_NOT_FOUND', path: ['input', 'fingerprint'] },
  ]);
  expect(await refused({ fingerprint: ' ' })).toEqual([{ code: 'INVALID_INPUT', path: ['input', 'fingerprint'] }]);
  const notValid = (code: string) => [
    { code: 'LICENSE_KEY_NOT_VALID', path: ['input', 'key'], checks: [{ code, severity: 'ERROR' }] },
  ];
  expect(await refused({ key: 'unknown', fingerprint: 'a' })).toEqual(notValid('KEY_NOT_FOUND'));
  await api.data({
    token: business.live,
    query: 'mutation ($input: BlockLicenseInput!) { blockLicense(input: $input) { userErrors { message } } }',
    variables: { input: { licenseId } },
  });
  expect(await refused({ fingerprint: 'a' })).toEqual(notValid('LICENSE_BLOCKED'));
  expect(await changesOf(api, id)).toHaveLength(1);
});

test('heartbeats and take-overs at once, by clocks on both sides of the end of a lease: the seat is one device’s', async () => {
  const business = await newBusiness(api);
  const { key, licenseKeyId } = await counted(business.live);
  const keyring = keyringOf(readConfig(testEnvironment));
  const viewer = { principal: 'PUBLIC' as const, businessId: rowId(business.id), brandId: null };
  const contextAt = (now: Date) => ({
    db: api.db,
    viewer,
    now,
    requestId: 'race',
    actor: null,
    keyring,
    mailFolder: null,
    guesses: null,
    idempotency: null,
  });
  let [kept, taken] = [0, 0];
  for (let round = 0; round < 20; round++) {
    const start = new Date(Date.now() + round * 1_000_000);
    const end = start.getTime() + 60_000;
    const [before, after] = [contextAt(new Date(end - 1)), contextAt(new Date(end + 1))];
    await activateLicenseKey(contextAt(start), { key, fingerprint: 'holder', leaseSeconds: 60 });
    const overs = Array.from(
      { length: 3 },
      (_, i) => () => activateLicenseKey(after, { key, fingerprint: `over ${i}`, leaseSeconds: 60 }),
    );
    const beats = Array.from({ length: 3 }, () => () => heartbeatActivation(before, { key, fingerprint: 'holder' }));
    const both = round % 2 ? [...overs, ...beats] : [...beats, ...overs];
    const outcomes = await Promise.allSettled(both.map((call) => call()));
    const seated = outcomes.filter((outcome, i) => outcome.status === 'fulfilled' && overs.includes(both[i]!)).length;
    const rows = await api.db.sql<{ fingerprint: string }>(
      null,
      'SELECT fingerprint FROM activations WHERE license_key_id = $1 AND ended_at IS NULL AND lease_until > $2',
      [rowId(licenseKeyId), after.now],
    );
    expect(rows.map(({ fingerprint }) => fingerprint === 'holder')).toEqual([seated === 0]);
    [kept, taken] = [kept + (seated === 0 ? 1 : 0), taken + seated];
    const last = contextAt(new Date(end + 900_000));
    await lapse(last.now);
    const [row] = await api.db.sql<{ used: number }>(
      null,
      'SELECT activations_used AS used FROM license_keys WHERE id = $1',
      [rowId(licenseKeyId)],
    );
    expect(row?.used).toBe(0);
  }
  expect(kept + taken).toBe(20);
});

test('an API key needs LICENSE_KEYS_WRITE', async () => {
  const business = await newBusiness(api);
  const narrow = await newApiKey(api, business.live, ['LICENSE_KEYS_READ']);
  const query =
    'mutation ($input: HeartbeatActivationInput!) { heartbeatActivation(input: $input) { userErrors { code } } }';
  const { errors } = await api.call({ token: narrow, query, variables: { input: { key: 'x', fingerprint: 'x' } } });
  expect(errors?.[0]?.extensions).toMatchObject({ code: 'FORBIDDEN', requiredScopes: ['LICENSE_KEYS_WRITE'] });
});

test('the worker writes lapsed leases down once, dated with their instant; readers saw them before', async () => {
  const business = await newBusiness(api);
  const { key, licenseKeyId } = await counted(business.live, 5);
  const ids: string[] = [];
  for (const fingerprint of ['a', 'b', 'c'])
    ids.push((await activated(api, business, { key, fingerprint, leaseSeconds: 60 })).id);
  const kept = await activated(api, business, { key, fingerprint: 'd' });
  const query = `query ($id: ID!) { activations(where: { licenseKeyId: { in: [$id] }, status: { in: [LAPSED] } }) { nodes { id status endedAt leaseUntil } }
    node(id: $id) { ... on LicenseKey { activationsUsed activations(where: { status: { in: [ACTIVE] } }) { nodes { id } } } } }`;
  const seen = () => api.data({ token: business.live, query, variables: { id: licenseKeyId } });
  const later = seconds(120);
  expect((await seen()).activations.nodes).toEqual([]);
  const before = await at(later, seen);
  expect(before.activations.nodes.map(({ id }: { id: string }) => id).toSorted()).toEqual(ids.toSorted());
  expect(before.node).toEqual({ activationsUsed: 1, activations: { nodes: [{ id: kept.id }] } });
  await Promise.all(Array.from({ length: 4 }, () => lapse(later)));
  expect(await at(later, seen)).toEqual(before);
  for (const id of ids) {
    const [, change, ...more] = await changesOf(api, id);
    const node = before.activations.nodes.find((one: { id: string }) => one.id === id);
    expect(change).toMatchObject({
      type: 'activation.lapsed',
      sequence: 2,
      actor_kind: 'SYSTEM',
      created_at: new Date(node.leaseUntil),
    });
    expect([more, change?.after]).toEqual([[], { endedAt: node.leaseUntil, endedBy: 'LAPSED' }]);
  }
  const [row] = await api.db.sql<{ used: number }>(
    null,
    'SELECT activations_used AS used FROM license_keys WHERE id = $1',
    [rowId(licenseKeyId)],
  );
  expect([row?.used, await lapse(later)]).toEqual([1, 0]);
});

test('a customer sees its own devices, and nobody else’s', async () => {
  const business = await newBusiness(api);
  const customerId = await newCustomer(api, business.live);
  const { key } = await counted(business.live, 3, { customerId });
  const other = await counted(business.live, 3);
  const mine = await activated(api, business, { key, fingerprint: 'a', metadata: { a: 1 } });
  const theirs = await activated(api, business, { key: other.key, fingerprint: 'a' });
  const session = await newSession(api, business.live, customerId);
  const query = `query ($mine: ID!, $theirs: ID!, $me: ID!) {
    mine: activation(id: $mine) { id metadata } theirs: activation(id: $theirs) { id }
    activations { nodes { id } } customer(id: $me) { activations { nodes { id } } } }`;
  const variables = { mine: mine.id, theirs: theirs.id, me: customerId };
  expect(await api.data({ token: session, query, variables })).toEqual({
    mine: { id: mine.id, metadata: { a: 1 } },
    theirs: null,
    activations: { nodes: [{ id: mine.id }] },
    customer: { activations: { nodes: [{ id: mine.id }] } },
  });
  const narrow = await newApiKey(api, business.live, ['CUSTOMERS_READ']);
  const denied = await api.call({
    token: narrow,
    query: 'query ($me: ID!) { customer(id: $me) { activations { nodes { id } } } }',
    variables: { me: customerId },
  });
  expect([denied.data.customer.activations, denied.errors?.[0]?.extensions.code]).toEqual([null, 'FORBIDDEN']);
});

test('what a grant tells of its key follows its devices', async () => {
  const business = await newBusiness(api);
  const { key, licenseId } = await counted(business.live, 2);
  const query = 'query ($id: ID!) { license(id: $id) { grants { licenseKey { activationsUsed activationsLimit } } } }';
  const used = async () =>
    (await api.data({ token: business.live, query, variables: { id: licenseId } })).license.grants[0].licenseKey;
  expect(await used()).toEqual({ activationsUsed: 0, activationsLimit: 2 });
  await activated(api, business, { key, fingerprint: 'a', leaseSeconds: 60 });
  expect(await used()).toEqual({ activationsUsed: 1, activationsLimit: 2 });
  expect(await at(seconds(61), used)).toEqual({ activationsUsed: 0, activationsLimit: 2 });
});

test('another business’s brand knows nothing of the device', async () => {
  const [mine, theirs] = [await newBusiness(api), await newBusiness(api)];
  const { key } = await counted(mine.live);
  await activated(api, mine, { key, fingerprint: 'a' });
  const { userErrors } = await beat(theirs, { key, fingerprint: 'a' });
  expect(userErrors[0].checks).toEqual([{ code: 'KEY_NOT_FOUND', severity: 'ERROR' }]);
  expect((await validate(api, theirs, { key, fingerprint: 'a' })).activation).toBeNull();
});
