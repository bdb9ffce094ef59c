import { expect, test } from '@jest/globals';
import { useApi } from '../support/api.js';
import { newApiKey, newBusiness } from '../support/business.js';
import { newApplication } from '../support/productKeys.js';

const api = useApi();
const NOW = '2026-03-01T12:00:00.000Z';
const fields = 'id name externalId description testMode archivedAt metadata version createdAt updatedAt';

async function call(token: string, name: string, input: Record<string, unknown>): Promise<any> {
  const type = `${name[0]?.toUpperCase()}${name.slice(1)}Input`;
  const query = `mutation ($input: ${type}!) { ${name}(input: $input) { application { ${fields} } userErrors { code path } } }`;
  const answer = await api.call({ token, query, variables: { input } });
  if (answer.errors) throw new Error(JSON.stringify(answer.errors));
  return answer.data[name];
}

const refusalsOf = (payload: any) =>
  payload.userErrors.map(({ code, path }: any) => `${code} ${path.slice(1).join('.')}`);
const count = async () =>
  (await api.db.sql(null, "SELECT 1 AS one FROM changes WHERE object_type = 'Application'", [])).length;

test('an application is created, changed, archived, found', async () => {
  api.setNow(NOW);
  const { live } = await newBusiness(api);
  const input = { name: ' Gateway ', externalId: 'gw-1', description: 'Ours', metadata: { a: 1 } };
  const { application } = await call(live, 'createApplication', input);
  const made = {
    id: expect.stringMatching(/^app_/),
    name: 'Gateway',
    externalId: 'gw-1',
    description: 'Ours',
    testMode: false,
    archivedAt: null,
    metadata: { a: 1 },
    version: 1,
    createdAt: NOW,
    updatedAt: NOW,
  };
  expect(application).toEqual(made);
  const applicationId = application.id;
  const change = {
    applicationId,
    name: 'Other',
    externalId: null,
    description: null,
    metadata: { b: 2 },
    expectedVersion: 1,
  };
  const updated = { ...made, name: 'Other', externalId: null, description: null, metadata: { a: 1, b: 2 }, version: 2 };
  expect(await call(live, 'updateApplication', change)).toEqual({ application: updated, userErrors: [] });
  const list = async (args: string) =>
    (await api.data({ token: live, query: `{ applications${args} { nodes { id } } }` })).applications.nodes.length;
  expect(await list('(search: "oth", where: { metadata: { key: "b", eq: "2" } })')).toBe(1);
  expect(await list('(where: { externalId: { in: ["gw-1"] } })')).toBe(0);
  const archived = { application: { ...updated, archivedAt: NOW, version: 3 }, userErrors: [] };
  expect(await call(live, 'archiveApplication', { applicationId })).toEqual(archived);
  expect(await call(live, 'archiveApplication', { applicationId })).toEqual(archived);
  expect([await list(''), await list('(where: { isArchived: true })')]).toEqual([0, 1]);
  const query = `query ($id: ID!) { application(id: $id) { ${fields} } }`;
  expect((await api.data({ token: live, query, variables: { id: applicationId } })).application).toEqual(
    archived.application,
  );
  api.setNow(null);
});

test('what cannot be is refused, and nothing changes', async () => {
  const { live } = await newBusiness(api);
  const applicationId = await newApplication(api, live, { externalId: 'gw' });
  const before = await count();
  const long = {
    name: ' ',
    externalId: 'x'.repeat(256),
    description: 'x'.repeat(2001),
    metadata: { a: 'x'.repeat(501) },
  };
  const all = [
    'INVALID_INPUT name',
    'INVALID_INPUT externalId',
    'INVALID_INPUT description',
    'INVALID_INPUT metadata.a',
  ];
  expect(refusalsOf(await call(live, 'createApplication', long))).toEqual(all);
  expect(refusalsOf(await call(live, 'updateApplication', { applicationId, ...long }))).toEqual(all);
  expect(refusalsOf(await call(live, 'createApplication', { name: 'x', externalId: 'gw' }))).toEqual([
    'EXTERNAL_ID_TAKEN externalId',
  ]);
  expect(refusalsOf(await call(live, 'updateApplication', { applicationId, name: null }))).toEqual([
    'INVALID_INPUT name',
  ]);
  expect(refusalsOf(await call(live, 'updateApplication', { applicationId, expectedVersion: 9 }))).toEqual([
    'STALE_OBJECT expectedVersion',
  ]);
  expect(await count()).toBe(before);
});

test('at once: one external id, one version, one archiving', async () => {
  const { live } = await newBusiness(api);
  const many = <T>(work: (i: number) => Promise<T>) => Promise.all(Array.from({ length: 8 }, (_, i) => work(i)));
  const made = await many(() => call(live, 'createApplication', { name: 'x', externalId: 'same' }));
  expect(made.flatMap(refusalsOf)).toEqual(Array(7).fill('EXTERNAL_ID_TAKEN externalId'));
  const applicationId = made.find(({ application }) => application)?.application.id;
  const updated = await many((i) =>
    call(live, 'updateApplication', { applicationId, name: `No ${i}`, expectedVersion: 1 }),
  );
  expect(updated.flatMap(refusalsOf)).toEqual(Array(7).fill('STALE_OBJECT expectedVersion'));
  const archived = await many(() => call(live, 'archiveApplication', { applicationId }));
  expect(new Set(archived.map(({ application }) => application.version))).toEqual(new Set([3]));
});

test("another tenant's and the other mode's are not there; reading does not write", async () => {
  const [mine, theirs] = [await newBusiness(api), await newBusiness(api)];
  const applicationId = await newApplication(api, mine.live, { externalId: 'gw' });
  for (const [name, more] of [
    ['updateApplication', { name: 'x' }],
    ['archiveApplication', {}],
  ] as const) {
    expect(refusalsOf(await call(theirs.live, name, { applicationId, ...more }))).toEqual([
      'APPLICATION_NOT_FOUND applicationId',
    ]);
    expect(refusalsOf(await call(mine.test, name, { applicationId, ...more }))).toEqual([
      'MODE_MISMATCH applicationId',
    ]);
  }
  expect(refusalsOf(await call(mine.test, 'createApplication', { name: 'x', externalId: 'gw' }))).toEqual([]);
  const reader = await newApiKey(api, mine.live, ['PRODUCT_KEYS_READ']);
  await expect(call(reader, 'createApplication', { name: 'x' })).rejects.toThrow('FORBIDDEN');
});
