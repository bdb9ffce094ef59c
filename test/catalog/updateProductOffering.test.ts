import { expect, test } from '@jest/globals';
import { useApi } from '../support/api.js';
import { newBusiness } from '../support/business.js';
import { attachEntitlement, newPackage, newProduct, newProductOffering } from '../support/catalog.js';
import { changesOf, newLicense, rowId } from '../support/licenses.js';
import { born, catalogCalls, idWith, noon } from './catalogCalls.js';
import { readOffering, updateProductOffering } from './offeringCalls.js';

const api = useApi();
const { run, codesOfTwenty } = catalogCalls(api);

/** Other values of everything that an offering's terms are. */
const otherTerms = {
  name: ' Studio Pro ',
  description: 'For ten',
  licenseType: ' pro ',
  amount: '5000',
  currencyCode: 'JPY',
  billingPeriod: 'MONTH',
  boundMonths: 12,
};
const shownTerms = {
  name: 'Studio Pro',
  description: 'For ten',
  licenseType: 'pro',
  price: { amount: '5000', currencyCode: 'JPY', minorUnits: '5000' },
  billingPeriod: 'MONTH',
  boundMonths: 12,
};
const offeringOf = async (token: string, id: string) =>
  (await api.data({ token, query: readOffering, variables: { id } })).productOffering;

test('what was not sold changes in place, and the change is recorded', async () => {
  const { live } = await newBusiness(api);
  const productId = await newProduct(api, live);
  const id = await newProductOffering(api, live, { productId, metadata: { a: 1, b: 2 }, group: 'old' });
  // A package that holds it is no sale.
  await newPackage(api, live, { productOfferingIds: [id] });
  const before = await offeringOf(live, id);
  const input = {
    productOfferingId: id,
    expectedVersion: 1,
    ...otherTerms,
    group: null,
    metadata: { a: null, c: true },
  };
  const payload = await run(live, updateProductOffering, input);
  const after = { ...before, ...shownTerms, group: null, metadata: { b: 2, c: true }, version: 2, updatedAt: noon };
  expect(payload).toEqual({ productOffering: after, superseded: null, userErrors: [] });
  expect(after).toMatchObject({ id, revision: 1, supersedes: null, supersededBy: null, status: 'AVAILABLE' });
  const [, change] = await changesOf(api, id);
  expect([change?.type, change?.sequence, change?.before, change?.after]).toEqual([
    'product_offering.updated',
    2,
    {
      name: 'Studio, for good',
      description: null,
      licenseType: 'standard',
      priceMinor: '1990',
      currency: 'USD',
      billingPeriod: 'ONE_TIME',
      boundMonths: 0,
      groupName: 'old',
      metadata: { a: 1, b: 2 },
    },
    {
      name: 'Studio Pro',
      description: 'For ten',
      licenseType: 'pro',
      priceMinor: '5000',
      currency: 'JPY',
      billingPeriod: 'MONTH',
      boundMonths: 12,
      groupName: null,
      metadata: { b: 2, c: true },
    },
  ]);
  // The same again is no change; an amount alone is in the offering's currency.
  expect((await run(live, updateProductOffering, { ...input, expectedVersion: 2 })).productOffering.version).toBe(2);
  const dearer = await run(live, updateProductOffering, { productOfferingId: id, amount: '6000' });
  expect(dearer.productOffering.price).toEqual({ amount: '6000', currencyCode: 'JPY', minorUnits: '6000' });
});

test('what was sold stays as it was: other terms make a revision that takes its place', async () => {
  const { live } = await newBusiness(api);
  const productId = await newProduct(api, live);
  const id = await newProductOffering(api, live, { productId, group: 'g', metadata: { a: 1 } });
  const entitlements = [
    await attachEntitlement(api, live, { target: { productOfferingId: id } }),
    await attachEntitlement(api, live, { target: { productOfferingId: id } }),
  ];
  const other = await newProductOffering(api, live);
  const packages = [
    await newPackage(api, live, { productOfferingIds: [id, other] }),
    await newPackage(api, live, { productOfferingIds: [id] }),
    await newPackage(api, live, { productOfferingIds: [other] }),
  ];
  const licenseId = await newLicense(api, live, { productOfferingId: id });
  const sold = await offeringOf(live, id);
  const input = { productOfferingId: id, expectedVersion: 1, ...otherTerms, metadata: { b: 2 } };
  const { productOffering: revised, superseded, userErrors } = await run(live, updateProductOffering, input);
  expect(userErrors).toEqual([]);
  expect(revised).toEqual({
    ...sold,
    ...shownTerms,
    id: idWith('offer'),
    group: 'g',
    metadata: { a: 1, b: 2 },
    revision: 2,
    supersedes: { id },
    supersededBy: null,
    entitlements: entitlements.map((entitlementId) => ({ id: entitlementId })),
    ...born,
  });
  const old = { ...sold, status: 'SUPERSEDED', supersededBy: { id: revised.id }, version: 2, updatedAt: noon };
  expect(superseded).toEqual(old);
  expect(await offeringOf(live, id)).toEqual(old);
  const query = `query ($license: ID!, $packages: [ID!]!, $product: ID!) {
    license(id: $license) { type productOffering { id price { amount } } }
    packages: nodes(ids: $packages) { ... on Package { version productOfferings { id } } }
    product(id: $product) { productOfferings { nodes { id } }
      all: productOfferings(where: { status: { in: [AVAILABLE, SUPERSEDED] } }) { totalCount } } }`;
  const variables = { license: licenseId, packages, product: productId };
  expect(await api.data({ token: live, query, variables })).toEqual({
    license: { type: 'standard', productOffering: { id, price: { amount: '19.90' } } },
    packages: [
      { version: 2, productOfferings: [{ id: revised.id }, { id: other }] },
      { version: 2, productOfferings: [{ id: revised.id }] },
      { version: 1, productOfferings: [{ id: other }] },
    ],
    product: { productOfferings: { nodes: [{ id: revised.id }] }, all: { totalCount: 2 } },
  });
  const recorded = async (objectId: string) =>
    (await changesOf(api, objectId)).slice(-1).map(({ type, sequence, before, after, snapshot }) => ({
      ...{ type, sequence, before, after },
      ...(type === 'product_offering.created' ? { entitlementIds: snapshot.entitlementIds } : {}),
    }));
  const status = { before: { status: 'AVAILABLE' }, after: { status: 'SUPERSEDED' } };
  expect(await recorded(id)).toEqual([{ type: 'product_offering.superseded', sequence: 2, ...status }]);
  const entitlementIds = entitlements.map(rowId);
  const nothing = { before: null, after: null };
  expect(await recorded(revised.id)).toEqual([
    { type: 'product_offering.created', sequence: 1, ...nothing, entitlementIds },
  ]);
  const places = { before: { productOfferingIds: [rowId(id)] }, after: { productOfferingIds: [rowId(revised.id)] } };
  expect(await recorded(packages[1] as string)).toEqual([{ type: 'package.updated', sequence: 2, ...places }]);
});

test.each([
  ['name', { name: 'Other' }],
  ['description', { description: 'Other' }],
  ['license type', { licenseType: 'other' }],
  ['price', { amount: '19.91' }],
  ['currency', { currencyCode: 'EUR', amount: '19.90' }],
  ['billing period', { billingPeriod: 'YEAR' }],
  ['bound months', { boundMonths: 1 }],
])('another %s of what was sold makes a revision', async (_name, change) => {
  const { live } = await newBusiness(api);
  const id = await newProductOffering(api, live);
  await newLicense(api, live, { productOfferingId: id });
  const first = await run(live, updateProductOffering, { productOfferingId: id, ...change });
  expect([first.superseded.id, first.productOffering.revision]).toEqual([id, 2]);
  // The revision was not sold: it changes in place until it is.
  const second = await run(live, updateProductOffering, {
    productOfferingId: first.productOffering.id,
    boundMonths: 24,
  });
  expect([second.superseded, second.productOffering.revision, second.productOffering.version]).toEqual([null, 2, 2]);
});

test('a test license, a cancelled one and a scheduled change are sales; group and metadata are no terms', async () => {
  const { live, test: testToken } = await newBusiness(api);
  const cancel = 'mutation ($input: CancelLicenseInput!) { cancelLicense(input: $input) { userErrors { code } } }';
  const [tried, cancelled, scheduled] = [
    await newProductOffering(api, live),
    await newProductOffering(api, live),
    await newProductOffering(api, live),
  ];
  await newLicense(api, testToken, { productOfferingId: tried });
  const licenseId = await newLicense(api, live, { productOfferingId: cancelled });
  await api.data({ token: live, query: cancel, variables: { input: { licenseId } } });
  await api.db.sql(null, 'UPDATE licenses SET pending_offering_id = $1, pending_offering_at = $2 WHERE id = $3', [
    rowId(scheduled),
    '2099-01-01T00:00:00Z',
    rowId(licenseId),
  ]);
  for (const productOfferingId of [tried, cancelled, scheduled]) {
    const filed = await run(live, updateProductOffering, { productOfferingId, group: 'g', metadata: { a: 1 } });
    expect(filed).toMatchObject({ superseded: null, productOffering: { group: 'g', metadata: { a: 1 }, version: 2 } });
    // The same terms with other filing are no other terms.
    const same = { name: 'Studio, for good', amount: '19.9', currencyCode: 'USD', boundMonths: 0, description: ' ' };
    const unchanged = await run(live, updateProductOffering, { productOfferingId, ...same, group: null });
    expect(unchanged).toMatchObject({ superseded: null, productOffering: { group: null, version: 3 } });
    const { superseded } = await run(live, updateProductOffering, { productOfferingId, amount: '1' });
    expect(superseded.id).toBe(productOfferingId);
    // What is superseded can still be filed, and goes on counting its own changes.
    const later = await run(live, updateProductOffering, { productOfferingId, metadata: { b: 1 } });
    expect(later.productOffering).toMatchObject({ status: 'SUPERSEDED', metadata: { a: 1, b: 1 }, version: 5 });
  }
});

test('the database itself refuses to change what was sold', async () => {
  const { live } = await newBusiness(api);
  const id = await newProductOffering(api, live);
  const change = (set: string) => api.db.sql(null, `UPDATE product_offerings SET ${set} WHERE id = $1`, [rowId(id)]);
  await change('price_minor = 1');
  await newLicense(api, live, { productOfferingId: id });
  const terms = ["name = 'x'", 'price_minor = 2', "currency = 'EUR'", 'bound_months = 1', "license_type = 'x'"];
  for (const set of [...terms, "billing_period = 'DAY'", "description = 'x'"]) {
    await expect(change(set)).rejects.toThrow('were sold and never change');
  }
  await change("status = 'ARCHIVED', group_name = 'g'");
  await expect(change("revision = 2, supersedes_id = id, name = 'y'")).rejects.toThrow();
});

test('of many updates of what was sold, one makes a revision', async () => {
  const { live } = await newBusiness(api);
  for (const [expected, code] of [
    [{}, 'PRODUCT_OFFERING_SUPERSEDED'],
    [{ expectedVersion: 1 }, 'STALE_OBJECT'],
  ] as const) {
    const id = await newProductOffering(api, live);
    await newPackage(api, live, { productOfferingIds: [id] });
    await newLicense(api, live, { productOfferingId: id });
    const codes = await codesOfTwenty(live, updateProductOffering, { productOfferingId: id, amount: '1', ...expected });
    expect(codes).toEqual(Array(19).fill(code));
    const revisions = await api.db.sql(null, 'SELECT 1 AS one FROM product_offerings WHERE supersedes_id = $1', [
      rowId(id),
    ]);
    expect(revisions).toHaveLength(1);
  }
});
