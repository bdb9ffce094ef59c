import { expect, test } from '@jest/globals';
import { useApi } from '../support/api.js';
import { newApiKey, newBusiness, newCustomer, newSession } from '../support/business.js';
import { newEntitlement } from '../support/catalog.js';
import { attach, createEntitlement, detach } from './entitlementCalls.js';

const api = useApi();

test('a foreign entitlement reads as an unknown one', async () => {
  const [mine, theirs] = [await newBusiness(api), await newBusiness(api)];
  const id = await newEntitlement(api, theirs.live);
  const query = `query ($id: ID!) { entitlement(id: $id) { id } node(id: $id) { id } entitlements { totalCount } }`;
  expect(await api.data({ token: mine.live, query, variables: { id } })).toEqual({
    entitlement: null,
    node: null,
    entitlements: { totalCount: 0 },
  });
});

test('entitlements are for API keys with the scopes of the catalog', async () => {
  const { live } = await newBusiness(api);
  const [reader, writer] = [
    await newApiKey(api, live, ['CATALOG_READ', 'GRANTS_WRITE']),
    await newApiKey(api, live, ['CATALOG_WRITE']),
  ];
  const session = await newSession(api, live, await newCustomer(api, live));
  const codeFor = async (token: string | null, query: string, input?: object) =>
    (await api.call({ token, query, variables: { input } })).errors?.map((error) => error.extensions.code);
  const change = { entitlementId: 'x', target: { productId: 'x' } };
  const inputs: [string, object][] = [
    [createEntitlement, { name: 'n', configuration: { licenseKey: {} } }],
    [attach, change],
    [detach, change],
  ];
  for (const [query, input] of inputs) {
    expect(await codeFor(reader, query, input)).toEqual(['FORBIDDEN']);
    expect(await codeFor(session, query, input)).toEqual(['FORBIDDEN']);
    expect(await codeFor(null, query, input)).toEqual(['UNAUTHENTICATED']);
  }
  for (const query of ['{ entitlements { totalCount } }', '{ entitlement(id: "x") { id } }']) {
    expect(await codeFor(writer, query)).toEqual(['FORBIDDEN']);
    expect(await codeFor(session, query)).toEqual(['FORBIDDEN']);
    expect(await codeFor(null, query)).toEqual(['UNAUTHENTICATED']);
    expect(await codeFor(reader, query)).toBeUndefined();
  }
});
