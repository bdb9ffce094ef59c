import { expect, test } from '@jest/globals';
import { useApi } from '../support/api.js';
import { newApiKey, newBusiness, newCustomer, newSession, type TestBusiness } from '../support/business.js';
import { changesOf, newKeyedOffering, newLicense, newPendingGrant, rowId } from '../support/licenses.js';

const api = useApi();

const fulfill = `mutation ($input: FulfillLicenseKeyGrantInput!) { fulfillLicenseKeyGrant(input: $input) {
  grant { licenseKey { id } } userErrors { code } } }`;

async function keyOf(token: string, key: string, fields: object = {}): Promise<string> {
  const grantId = await newPendingGrant(api, token, { ...fields });
  const { fulfillLicenseKeyGrant } = await api.data({
    token,
    query: fulfill,
    variables: { input: { grantId, key } },
  });
  return fulfillLicenseKeyGrant.grant.licenseKey.id;
}

const read = `query ($id: ID!) { node(id: $id) { ... on LicenseKey { key } } }`;
const masked = `query ($id: ID!) { node(id: $id) { ... on LicenseKey { maskedKey last4 version } } }`;
const revealed = { type: 'license_key.revealed', actor_kind: 'API_KEY' };

test('the stored row holds no key in the clear, and the key reads as it was given', async () => {
  const { live } = await newBusiness(api);
  const id = await keyOf(live, '  Übung-canary-ZZ 9  ');
  const rows = await api.db.sql<{ row: string }>(
    null,
    `SELECT to_jsonb(k)::text AS row FROM license_keys k UNION ALL SELECT to_jsonb(c)::text FROM changes c`,
    [],
  );
  expect(rows.length).toBeGreaterThan(2);
  for (const { row } of rows) expect(row.toLowerCase()).not.toMatch(/canary|63616e617279/);
  const { node } = await api.data({ token: live, query: read, variables: { id } });
  expect(node).toEqual({ key: 'Übung-canary-ZZ 9' });
});

test('a ciphertext moved to another row decrypts to nothing', async () => {
  const { live } = await newBusiness(api);
  const [one, two] = [await keyOf(live, 'first-key-1'), await keyOf(live, 'second-key-2')];
  await api.db.sql(
    null,
    `UPDATE license_keys SET key_ciphertext = (SELECT key_ciphertext FROM license_keys WHERE id = $2) WHERE id = $1`,
    [rowId(one), rowId(two)],
  );
  const answer = await api.call({ token: live, query: read, variables: { id: one } });
  expect(answer.errors?.map(({ extensions }) => extensions.code)).toEqual(['INTERNAL_SERVER_ERROR']);
  expect(JSON.stringify(answer)).not.toContain('second-key-2');
  expect((await changesOf(api, one)).map(({ type }) => type)).toEqual(['license_key.created']);
});

test('each request that reads a key in full is recorded once, and a masked reading is not', async () => {
  const { live } = await newBusiness(api);
  const id = await keyOf(live, 'AAAA-BBBB-CCCC');
  await api.data({ token: live, query: masked, variables: { id } });
  expect((await changesOf(api, id)).map(({ type }) => type)).toEqual(['license_key.created']);
  const twice = `query ($id: ID!) { a: node(id: $id) { ... on LicenseKey { key } } b: node(id: $id) { ... on LicenseKey { again: key } } }`;
  expect(await api.data({ token: live, query: twice, variables: { id }, headers: { 'x-actor': 'Ann' } })).toEqual({
    a: { key: 'AAAA-BBBB-CCCC' },
    b: { again: 'AAAA-BBBB-CCCC' },
  });
  await api.data({ token: live, query: read, variables: { id } });
  const [, ...readings] = await changesOf(api, id);
  expect(readings).toEqual([
    expect.objectContaining({ ...revealed, sequence: 2, actor_name: 'Ann', before: null, after: null }),
    expect.objectContaining({ ...revealed, sequence: 3, actor_name: null }),
  ]);
  const after = await api.data({ token: live, query: masked, variables: { id } });
  expect(after.node).toEqual({ maskedKey: '********CCCC', last4: 'CCCC', version: 3 });
});

test('twenty requests at once that read the same keys are all recorded', async () => {
  const { live } = await newBusiness(api);
  const ids = [await keyOf(live, 'key-one-1'), await keyOf(live, 'key-two-2'), await keyOf(live, 'key-three-3')];
  const query = `query ($ids: [ID!]!) { nodes(ids: $ids) { ... on LicenseKey { key } } }`;
  await Promise.all(
    Array.from({ length: 20 }, async (_, i) => {
      const order = i % 2 ? ids : [...ids].reverse();
      const { nodes } = await api.data({ token: live, query, variables: { ids: order } });
      const keys = ['key-one-1', 'key-two-2', 'key-three-3'];
      expect(nodes.map(({ key }: { key: string }) => key)).toEqual(i % 2 ? keys : keys.reverse());
    }),
  );
  for (const id of ids) {
    const changes = await changesOf(api, id);
    expect(changes.map(({ sequence }) => sequence)).toEqual(Array.from({ length: 21 }, (_, i) => i + 1));
  }
});

test('without LICENSE_KEYS_REVEAL the key is hidden, nothing is recorded, and the rest is shown', async () => {
  const { live } = await newBusiness(api);
  const id = await keyOf(live, 'hidden-key-7');
  const token = await newApiKey(api, live, ['LICENSE_KEYS_READ']);
  const query = `query ($id: ID!) { node(id: $id) { ... on LicenseKey { key maskedKey licenses { id } } } }`;
  const answer = await api.call({ token, query, variables: { id } });
  expect(answer.data.node).toEqual({ key: null, maskedKey: '********ey-7', licenses: null });
  expect(answer.errors?.map(({ path, extensions }) => [path?.join('.'), extensions.code]).sort()).toEqual([
    ['node.key', 'FORBIDDEN'],
    ['node.licenses', 'FORBIDDEN'],
  ]);
  expect((await changesOf(api, id)).map(({ type }) => type)).toEqual(['license_key.created']);
});

test('an owner’s session reads its own key in full, which is recorded as its reading, and nobody else’s', async () => {
  const { live } = await newBusiness(api);
  const customerId = await newCustomer(api, live);
  const own = await keyOf(live, 'own-key-1', { customerId });
  const other = await keyOf(live, 'other-key-2');
  const session = await newSession(api, live, customerId);
  const query = `query ($own: ID!, $other: ID!) { own: node(id: $own) { ... on LicenseKey { key } } other: node(id: $other) { id } }`;
  expect(await api.data({ token: session, query, variables: { own, other } })).toEqual({
    own: { key: 'own-key-1' },
    other: null,
  });
  expect((await changesOf(api, own)).map(({ type, actor_kind }) => [type, actor_kind])).toEqual([
    ['license_key.created', 'API_KEY'],
    ['license_key.revealed', 'CUSTOMER'],
  ]);
  expect((await changesOf(api, other)).map(({ type }) => type)).toEqual(['license_key.created']);
});

test('a foreign key, or one of the other mode, answers as an unknown one and is not recorded', async () => {
  const [mine, theirs]: TestBusiness[] = [await newBusiness(api), await newBusiness(api)];
  const id = await keyOf(theirs!.live, 'their-key-1');
  for (const token of [mine!.live, theirs!.test]) {
    expect(await api.data({ token, query: read, variables: { id } })).toEqual({ node: null });
  }
  expect((await changesOf(api, id)).map(({ type }) => type)).toEqual(['license_key.created']);
});

test('the same key of two businesses, or of two modes, are two keys', async () => {
  const [one, two] = [await newBusiness(api), await newBusiness(api)];
  const ids = [await keyOf(one.live, 'SAME-KEY'), await keyOf(one.test, 'SAME-KEY'), await keyOf(two.live, 'SAME-KEY')];
  expect(new Set(ids).size).toBe(3);
});

test('the database refuses a second current license on one key', async () => {
  const { live } = await newBusiness(api);
  const productOfferingId = await newKeyedOffering(api, live);
  const [one, two] = [
    await newLicense(api, live, { productOfferingId }),
    await newLicense(api, live, { productOfferingId }),
  ];
  const bind = `INSERT INTO license_key_bindings (business_id, mode, license_key_id, license_id, created_at)
    SELECT business_id, mode, license_key_id, $2, now() FROM license_key_bindings WHERE license_id = $1`;
  await expect(api.db.sql(null, bind, [rowId(one), rowId(two)])).rejects.toMatchObject({
    constraint: 'license_key_bindings_one_current',
  });
  await api.db.sql(null, `UPDATE licenses SET status = 'CANCELLED', cancelled_at = now() WHERE id = $1`, [rowId(one)]);
  await api.db.sql(null, bind, [rowId(one), rowId(two)]);
});
