import { expect, test } from '@jest/globals';
import { useApi } from '../support/api.js';
import { newApiKey, newBusiness, newCustomer, newOrganization, newSession } from '../support/business.js';
import { changesOf } from '../support/licenses.js';

const api = useApi();

const fields = `organization {
    id name externalId description vatNumber countryCode3Letter metadata mode archivedAt version createdAt updatedAt
    customers { nodes { id } totalCount }
  } userErrors { __typename code path }`;
const mutations = {
  createOrganization: 'CreateOrganizationInput',
  updateOrganization: 'UpdateOrganizationInput',
  archiveOrganization: 'ArchiveOrganizationInput',
} as const;
const call = (token: string | null, name: keyof typeof mutations, input: object) =>
  api.call({
    token,
    query: `mutation ($input: ${mutations[name]}!) { ${name}(input: $input) { ${fields} } }`,
    variables: { input },
  });

async function payloadOf(token: string, name: keyof typeof mutations, input: object): Promise<any> {
  const answer = await call(token, name, input);
  expect(answer.errors).toBeUndefined();
  return answer.data[name];
}

/** Code and path of each refusal. */
const refusalsOf = async (token: string, name: keyof typeof mutations, input: object) => {
  const { organization, userErrors } = await payloadOf(token, name, input);
  expect(organization).toBeNull();
  return userErrors.map(({ code, path }: { code: string; path: string[] }) => `${code} ${path.join('.')}`);
};

async function customerCodes(
  token: string,
  name: 'createCustomer' | 'updateCustomer' | 'upsertCustomer',
  input: object,
) {
  const type = `${name[0]?.toUpperCase()}${name.slice(1)}Input`;
  const query = `mutation ($input: ${type}!) { ${name}(input: $input) { customer { organization { id name } } userErrors { code path } } }`;
  const { customer, userErrors } = (await api.call({ token, query, variables: { input } })).data[name];
  return customer ?? userErrors.map(({ code, path }: { code: string; path: string[] }) => `${code} ${path.join('.')}`);
}

async function rows(): Promise<unknown> {
  return api.db.sql(null, 'SELECT to_jsonb(o)::text AS row FROM organizations o ORDER BY id', []);
}

test('createOrganization gives back every field that was given, and records it', async () => {
  const { live } = await newBusiness(api);
  api.setNow('2026-03-01T10:00:00.000Z');
  const input = {
    name: ' Muster GmbH ',
    externalId: 'org-1',
    description: 'A maker\nof samples',
    vatNumber: 'DE123456789',
    countryCode3Letter: 'DEU',
    metadata: { tier: 'gold' },
  };
  const { organization, userErrors } = await payloadOf(live, 'createOrganization', input);
  api.setNow(null);
  expect(userErrors).toEqual([]);
  expect(organization).toEqual({
    ...input,
    id: expect.stringMatching(/^org_[0-9a-hjkmnp-tv-z]{26}$/),
    name: 'Muster GmbH',
    mode: 'LIVE',
    archivedAt: null,
    version: 1,
    createdAt: '2026-03-01T10:00:00.000Z',
    updatedAt: '2026-03-01T10:00:00.000Z',
    customers: { nodes: [], totalCount: 0 },
  });
  expect(await changesOf(api, organization.id)).toMatchObject([
    { type: 'organization.created', sequence: 1, snapshot: { name: 'Muster GmbH', externalId: 'org-1' } },
  ]);
});

test('updateOrganization leaves what is absent, clears what is null, merges metadata and refuses a stale version', async () => {
  const { live } = await newBusiness(api);
  const organizationId = await newOrganization(api, live, {
    externalId: 'o',
    vatNumber: 'V',
    metadata: { a: 1, b: 2 },
  });
  const input = { organizationId, expectedVersion: 1, name: 'New', vatNumber: null, metadata: { a: null, c: true } };
  const { organization } = await payloadOf(live, 'updateOrganization', input);
  expect(organization).toMatchObject({
    name: 'New',
    externalId: 'o',
    vatNumber: null,
    metadata: { b: 2, c: true },
    version: 2,
  });
  expect(await refusalsOf(live, 'updateOrganization', input)).toEqual(['STALE_OBJECT input.expectedVersion']);
  expect((await payloadOf(live, 'updateOrganization', { organizationId, name: 'New' })).organization.version).toBe(2);
  expect((await changesOf(api, organizationId))[1]).toMatchObject({
    type: 'organization.updated',
    before: { name: 'Muster GmbH', vatNumber: 'V', metadata: { a: 1, b: 2 } },
    after: { name: 'New', vatNumber: null, metadata: { b: 2, c: true } },
  });
});

test('all problems are reported at once, and nothing is written', async () => {
  const { live } = await newBusiness(api);
  const organizationId = await newOrganization(api, live, { externalId: 'taken' });
  const other = await newOrganization(api, live);
  const before = await rows();
  const wrong = {
    name: '  ',
    externalId: 'x'.repeat(256),
    description: 'x'.repeat(2001),
    vatNumber: 'x'.repeat(65),
    countryCode3Letter: 'XXX',
    metadata: { ['k'.repeat(41)]: 1 },
  };
  const places = ['name', 'externalId', 'description', 'vatNumber', 'countryCode3Letter', `metadata.${'k'.repeat(41)}`];
  const all = places.map((place) => `INVALID_INPUT input.${place}`);
  expect(await refusalsOf(live, 'createOrganization', wrong)).toEqual(all);
  expect(await refusalsOf(live, 'updateOrganization', { organizationId, ...wrong })).toEqual(all);
  expect(await refusalsOf(live, 'updateOrganization', { organizationId, name: null })).toEqual([
    'INVALID_INPUT input.name',
  ]);
  const taken = ['EXTERNAL_ID_TAKEN input.externalId'];
  expect(await refusalsOf(live, 'createOrganization', { name: 'B', externalId: ' taken ' })).toEqual(taken);
  expect(await refusalsOf(live, 'updateOrganization', { organizationId: other, externalId: 'taken' })).toEqual(taken);
  expect(await rows()).toEqual(before);
});

test('archiveOrganization takes nobody in any more, keeps its customers, and may be said again', async () => {
  const { live } = await newBusiness(api);
  const organizationId = await newOrganization(api, live);
  const member = await newCustomer(api, live, { organizationId });
  const outsider = await newCustomer(api, live);
  expect(await refusalsOf(live, 'archiveOrganization', { organizationId, expectedVersion: 2 })).toEqual([
    'STALE_OBJECT input.expectedVersion',
  ]);
  api.setNow('2026-03-01T10:00:00.000Z');
  const first = await payloadOf(live, 'archiveOrganization', { organizationId, expectedVersion: 1 });
  api.setNow(null);
  expect(first.organization).toMatchObject({
    archivedAt: '2026-03-01T10:00:00.000Z',
    version: 2,
    customers: { nodes: [{ id: member }], totalCount: 1 },
  });
  expect(await payloadOf(live, 'archiveOrganization', { organizationId, expectedVersion: 1 })).toEqual(first);
  const refused = ['ORGANIZATION_ARCHIVED input.organizationId'];
  expect(await customerCodes(live, 'createCustomer', { organizationId })).toEqual(refused);
  expect(await customerCodes(live, 'updateCustomer', { customerId: outsider, organizationId })).toEqual(refused);
  expect(await customerCodes(live, 'upsertCustomer', { externalId: 'n', organizationId })).toEqual(refused);
  const stays = { organization: { id: organizationId, name: 'Muster GmbH' } };
  expect(await customerCodes(live, 'updateCustomer', { customerId: member, organizationId, firstName: 'E' })).toEqual(
    stays,
  );
  expect((await changesOf(api, organizationId)).map(({ type }) => type)).toEqual([
    'organization.created',
    'organization.archived',
  ]);
});

test('a customer joins, changes and leaves its organization', async () => {
  const { live } = await newBusiness(api);
  const [first, second] = [
    await newOrganization(api, live, { name: 'A' }),
    await newOrganization(api, live, { name: 'B' }),
  ];
  const customerId = await newCustomer(api, live, { externalId: 'x', organizationId: first });
  const at = (id: string, name: string) => ({ organization: { id, name } });
  expect(await customerCodes(live, 'updateCustomer', { customerId, firstName: 'E' })).toEqual(at(first, 'A'));
  expect(await customerCodes(live, 'updateCustomer', { customerId, organizationId: second })).toEqual(at(second, 'B'));
  expect(await customerCodes(live, 'upsertCustomer', { externalId: 'x', organizationId: first })).toEqual(
    at(first, 'A'),
  );
  const listed = await api.data({
    token: live,
    query: 'query ($ids: [ID!]!) { customers(where: { organizationId: { in: $ids } }) { nodes { id } } }',
    variables: { ids: [first, second] },
  });
  expect(listed.customers.nodes).toEqual([{ id: customerId }]);
  expect(await customerCodes(live, 'updateCustomer', { customerId, organizationId: null })).toEqual({
    organization: null,
  });
  expect((await changesOf(api, customerId)).slice(-1)).toMatchObject([{ after: { organizationId: null } }]);
});

test('organizations are searched, filtered, ordered and paged; archived ones only when asked for', async () => {
  const { live } = await newBusiness(api);
  for (const [name, i] of [
    ['beta 100%', 1],
    ['Alpha', 2],
    ['Gamma', 3],
  ] as const)
    await newOrganization(api, live, { name, externalId: `ext-${i}`, metadata: { i } });
  const gone = await newOrganization(api, live, { name: 'Delta' });
  await payloadOf(live, 'archiveOrganization', { organizationId: gone });
  const names = async (args: string) => {
    const { organizations } = await api.data({
      token: live,
      query: `{ organizations(${args}) { nodes { name } totalCount } }`,
    });
    expect(organizations.totalCount).toBe(organizations.nodes.length);
    return organizations.nodes.map(({ name }: { name: string }) => name);
  };
  expect(await names('first: 20')).toEqual(['Gamma', 'Alpha', 'beta 100%']);
  expect(await names('orderBy: { field: NAME, direction: ASC }')).toEqual(['Alpha', 'beta 100%', 'Gamma']);
  expect(await names('search: "EXT-2"')).toEqual(['Alpha']);
  expect(await names('search: "0%"')).toEqual(['beta 100%']);
  expect(await names('where: { isArchived: true }')).toEqual(['Delta']);
  expect(await names('where: { externalId: { in: ["ext-1", "ext-3"] } }')).toEqual(['Gamma', 'beta 100%']);
  expect(await names('where: { metadata: { key: "i", eq: "3" } }')).toEqual(['Gamma']);
  expect(await names(`where: { id: { in: ["${gone}"] }, isArchived: true }`)).toEqual(['Delta']);
  expect(await names('where: { createdAt: { lt: "2000-01-01T00:00:00Z" } }')).toEqual([]);
  const short = await api.call({ token: live, query: '{ organizations(search: "x") { totalCount } }' });
  expect(short.errors?.[0]?.extensions).toMatchObject({ code: 'BAD_USER_INPUT', argument: 'search' });
});

test('races: one of many with one external id, one change of many archivings, and nobody joins what is archived', async () => {
  const { live } = await newBusiness(api);
  const made = await Promise.all(
    Array.from({ length: 12 }, (_, i) => payloadOf(live, 'createOrganization', { name: `No ${i}`, externalId: 'one' })),
  );
  expect(made.filter(({ organization }) => organization)).toHaveLength(1);
  for (let round = 0; round < 8; round++) {
    const organizationId = await newOrganization(api, live);
    const joining = Array.from({ length: 6 }, () => customerCodes(live, 'createCustomer', { organizationId }));
    const [joined] = await Promise.all([
      Promise.all(joining),
      ...Array.from({ length: 4 }, () => payloadOf(live, 'archiveOrganization', { organizationId })),
    ]);
    const inside = joined.filter((outcome) => !Array.isArray(outcome)).length;
    const changes = await changesOf(api, organizationId);
    expect(changes.map(({ type }) => type)).toEqual(['organization.created', 'organization.archived']);
    const { organization } = await api.data({
      token: live,
      query: 'query ($id: ID!) { organization(id: $id) { customers { totalCount } } }',
      variables: { id: organizationId },
    });
    expect(organization.customers.totalCount).toBe(inside);
  }
});

test('a foreign organization answers as an unknown one, one of the other mode is a mismatch', async () => {
  const [mine, theirs] = [await newBusiness(api), await newBusiness(api)];
  const organizationId = await newOrganization(api, theirs.live);
  const customerId = await newCustomer(api, mine.live);
  const before = await rows();
  const notFound = ['ORGANIZATION_NOT_FOUND input.organizationId'];
  for (const id of [organizationId, 'org_nonsense', customerId]) {
    expect(await refusalsOf(mine.live, 'updateOrganization', { organizationId: id, name: 'M' })).toEqual(notFound);
    expect(await refusalsOf(mine.live, 'archiveOrganization', { organizationId: id })).toEqual(notFound);
    expect(await customerCodes(mine.live, 'updateCustomer', { customerId, organizationId: id })).toEqual(notFound);
    expect(await customerCodes(mine.live, 'createCustomer', { organizationId: id })).toEqual(notFound);
    const read = { query: 'query ($id: ID!) { organization(id: $id) { id } }', variables: { id } };
    expect(await api.data({ token: mine.live, ...read })).toEqual({ organization: null });
  }
  const mismatch = ['MODE_MISMATCH input.organizationId'];
  expect(await refusalsOf(theirs.test, 'updateOrganization', { organizationId, name: 'M' })).toEqual(mismatch);
  expect(await customerCodes(theirs.test, 'createCustomer', { organizationId })).toEqual(mismatch);
  expect(await rows()).toEqual(before);
  // It has no brand: customers of every brand may belong to it, and each storefront sees its own.
  const url = 'other.organizations.example';
  const query = `mutation { createBrand(input: { name: "Other", url: "${url}" }) { brand { id } userErrors { code } } }`;
  await api.data({ token: theirs.live, query });
  await newCustomer(api, theirs.live, { organizationId });
  const asked = { query: `{ organization(id: "${organizationId}") { customers { totalCount } } }`, token: theirs.live };
  expect((await api.data(asked)).organization.customers.totalCount).toBe(1);
  expect((await api.data({ ...asked, headers: { 'brand-url': url } })).organization.customers.totalCount).toBe(0);
});

test('it takes CUSTOMERS_READ and CUSTOMERS_WRITE, and is not for sessions but through their own customer', async () => {
  const { live } = await newBusiness(api);
  const organizationId = await newOrganization(api, live);
  const customerId = await newCustomer(api, live, { organizationId });
  await newCustomer(api, live, { organizationId });
  const session = await newSession(api, live, customerId);
  const reader = await newApiKey(api, live, ['CUSTOMERS_READ']);
  const code = async (token: string | null, name: keyof typeof mutations, input: object) =>
    (await call(token, name, input)).errors?.[0]?.extensions.code;
  for (const [name, input] of [
    ['createOrganization', { name: 'X' }],
    ['updateOrganization', { organizationId, name: 'X' }],
    ['archiveOrganization', { organizationId }],
  ] as const) {
    expect([await code(reader, name, input), await code(session, name, input), await code(null, name, input)]).toEqual([
      'FORBIDDEN',
      'FORBIDDEN',
      'UNAUTHENTICATED',
    ]);
  }
  const own = await api.call({
    token: session,
    query: 'query ($id: ID!) { customer(id: $id) { organization { name customers { totalCount } } } }',
    variables: { id: customerId },
  });
  expect(own.data.customer.organization).toEqual({ name: 'Muster GmbH', customers: null });
  expect(own.errors?.map(({ extensions }) => extensions.code)).toEqual(['FORBIDDEN']);
  expect((await changesOf(api, organizationId)).map(({ type }) => type)).toEqual(['organization.created']);
});
