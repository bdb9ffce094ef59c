import { expect, test } from '@jest/globals';
import { useApi } from '../support/api.js';
import { newApiKey, newBusiness, newCustomer, newSession } from '../support/business.js';
import { newProduct, newProductOffering } from '../support/catalog.js';
import { changesOf, rowId } from '../support/licenses.js';
import { catalogCalls, createPackagePrice, createProductOffering, noon } from './catalogCalls.js';
import { call, fields, newObjects, read } from './updateCalls.js';

const api = useApi();
const { run, refusals, codesOfTwenty } = catalogCalls(api);

/** Changes of everything that can change, what is then shown instead, and what is recorded before and after. */
async function changesOfAll(token: string, ids: Record<string, string>) {
  const [offering, product] = [await newProductOffering(api, token), await newProduct(api, token)];
  const configuration = {
    licenseKey: { fulfillmentMode: 'MANUAL', activationsLimit: 3, duration: { count: 2, unit: 'YEAR' } },
  };
  const manual = { fulfillmentMode: 'MANUAL', activationsLimit: 3, fulfillWithinHours: 24 };
  const rows: [field: string, input: object, shown: object, before: object, after: object][] = [
    [
      'product',
      { name: ' New ', description: ' D ', serviceUrl: 'https://a.example', metadata: { a: 1 } },
      { name: 'New', description: 'D', serviceUrl: 'https://a.example', metadata: { a: 1 } },
      { name: 'Studio', description: null, serviceUrl: null, metadata: {} },
      { name: 'New', description: 'D', serviceUrl: 'https://a.example', metadata: { a: 1 } },
    ],
    [
      'package',
      {
        name: 'P',
        description: 'D',
        primaryProductId: product,
        productOfferingIds: [offering, offering],
        metadata: { a: 'x' },
      },
      {
        name: 'P',
        description: 'D',
        primaryProduct: { id: product },
        productOfferings: [{ id: offering }],
        metadata: { a: 'x' },
      },
      {
        name: 'Starter',
        description: null,
        primaryProductId: rowId(ids.product as string),
        productOfferingIds: [],
        metadata: {},
      },
      {
        name: 'P',
        description: 'D',
        primaryProductId: rowId(product),
        productOfferingIds: [rowId(offering)],
        metadata: { a: 'x' },
      },
    ],
    [
      'subscriptionType',
      { name: ' Year ', days: 365, metadata: { a: true } },
      { name: 'Year', days: 365, metadata: { a: true } },
      { name: expect.stringMatching(/^30 days/), days: 30, metadata: {} },
      { name: 'Year', days: 365, metadata: { a: true } },
    ],
    [
      'packagePrice',
      { amount: '12.5' },
      { price: { amount: '12.50', currencyCode: 'USD', minorUnits: '1250' } },
      { amountMinor: '1000' },
      { amountMinor: '1250' },
    ],
    [
      'entitlement',
      { name: 'Key', description: 'D', configuration, metadata: { b: true } },
      {
        ...{ name: 'Key', description: 'D', metadata: { b: true } },
        configuration: expect.objectContaining({ ...manual, duration: { count: 2, unit: 'YEAR' } }),
      },
      {
        ...{ name: 'Studio key', description: null, metadata: {} },
        ...{
          fulfillmentMode: 'AUTO',
          activationsLimit: null,
          fulfillWithinHours: null,
          durationCount: null,
          durationUnit: null,
        },
      },
      { name: 'Key', description: 'D', metadata: { b: true }, ...manual, durationCount: 2, durationUnit: 'YEAR' },
    ],
  ];
  return rows;
}

test('updates change what is given, once, and record it before and after', async () => {
  const { live } = await newBusiness(api);
  const ids = await newObjects(api, live);
  for (const [field, input, shown, before, after] of await changesOfAll(live, ids)) {
    const id = ids[field] as string;
    const was = (await api.data({ token: live, query: read(field), variables: { id } }))[field];
    const given = { [`${field}Id`]: id, expectedVersion: 1, ...input };
    const answer = { [field]: { ...was, ...shown, version: 2, updatedAt: noon }, userErrors: [] };
    expect(await run(live, call('update', field), given)).toEqual(answer);
    expect(await run(live, call('update', field), { ...given, expectedVersion: 2 })).toEqual(answer);
    const [, updated, ...more] = await changesOf(api, id);
    expect([updated?.before, updated?.after, updated?.sequence, more]).toEqual([before, after, 2, []]);
  }
});

test('updates clear what is null, and take metadata away pair by pair or as a whole', async () => {
  const { live } = await newBusiness(api);
  const ids = await newObjects(api, live);
  const productOfferingIds = [await newProductOffering(api, live)];
  const texts: Record<string, object> = {
    product: { description: 'D', serviceUrl: 'https://a.example' },
    package: { description: 'D', productOfferingIds },
    subscriptionType: {},
    entitlement: { description: 'D' },
  };
  for (const [field, given] of Object.entries(texts)) {
    const input = { [`${field}Id`]: ids[field] };
    const update = async (change: object) => (await run(live, call('update', field), { ...input, ...change }))[field];
    const first = await update({ ...given, metadata: { a: 1, b: 2 } });
    const cleared = await update({
      ...Object.fromEntries(Object.keys(given).map((name) => [name, null])),
      metadata: { a: null },
    });
    const empty = field === 'package' ? { description: null, productOfferings: [] } : {};
    const nulls = field === 'package' ? {} : Object.fromEntries(Object.keys(given).map((name) => [name, null]));
    expect(cleared).toEqual({ ...first, ...nulls, ...empty, metadata: { b: 2 }, version: 3 });
    expect(await update({ metadata: null })).toEqual({ ...cleared, metadata: {}, version: 4 });
  }
});

test('of many updates that expect one version, one is made', async () => {
  const { live } = await newBusiness(api);
  const ids = await newObjects(api, live);
  for (const [field, input] of await changesOfAll(live, ids)) {
    const given = { [`${field}Id`]: ids[field], expectedVersion: 1, ...input };
    expect([field, await codesOfTwenty(live, call('update', field), given)]).toEqual([
      field,
      Array(19).fill('STALE_OBJECT'),
    ]);
    expect(await changesOf(api, ids[field] as string)).toHaveLength(2);
  }
});

test('what is archived, once however often, leaves the lists and is used for nothing new', async () => {
  const { live } = await newBusiness(api);
  const ids = await newObjects(api, live);
  const offering = await newProductOffering(api, live, { productId: ids.product });
  for (const field of ['packagePrice', 'subscriptionType', 'package', 'product', 'entitlement']) {
    const input = { [`${field}Id`]: ids[field] };
    const answers = await Promise.all(
      Array.from({ length: 8 }, () => api.call({ token: live, query: call('archive', field), variables: { input } })),
    );
    const versions: number[] = answers.map(({ data }) => (Object.values(data)[0] as any)[field].version);
    expect([field, versions]).toEqual([field, Array(8).fill(2)]);
    const [, archived, ...more] = await changesOf(api, ids[field] as string);
    expect([archived?.type, archived?.before, Object.keys(archived?.after ?? {}), more]).toEqual([
      `${field.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)}.archived`,
      { archivedAt: null },
      ['archivedAt'],
      [],
    ]);
    const query = `query ($where: ${field[0]?.toUpperCase()}${field.slice(1)}Where) { list: ${field}s(where: $where) { nodes { id } } }`;
    const listed = async (isArchived?: boolean) =>
      (await api.data({ token: live, query, variables: { where: { id: { in: [ids[field]] }, isArchived } } })).list
        .nodes;
    expect([await listed(), await listed(false), await listed(true)]).toEqual([[], [], [{ id: ids[field] }]]);
  }
  const shown = await api.data({ token: live, query: `{ productOffering(id: "${offering}") { status version } }` });
  expect(shown.productOffering).toEqual({ status: 'ARCHIVED', version: 2 });
  const terms = { amount: '1', currencyCode: 'EUR' };
  expect(
    await refusals(live, createPackagePrice, {
      packageId: ids.package,
      subscriptionTypeId: ids.subscriptionType,
      ...terms,
    }),
  ).toEqual([
    ['PACKAGE_ARCHIVED', 'input.packageId'],
    ['SUBSCRIPTION_TYPE_ARCHIVED', 'input.subscriptionTypeId'],
  ]);
  expect(
    await refusals(live, createProductOffering, { productId: ids.product, name: 'n', licenseType: 't', ...terms }),
  ).toEqual([['PRODUCT_ARCHIVED', 'input.productId']]);
});

test('the catalog is changed with CATALOG_WRITE only', async () => {
  const { live } = await newBusiness(api);
  const reader = await newApiKey(api, live, ['CATALOG_READ']);
  const session = await newSession(api, live, await newCustomer(api, live));
  for (const field of Object.keys(fields)) {
    for (const [token, code, verb] of [
      [reader, 'FORBIDDEN', 'update'],
      [reader, 'FORBIDDEN', 'archive'],
      [session, 'FORBIDDEN', 'archive'],
      [null, 'UNAUTHENTICATED', 'archive'],
      [session, 'FORBIDDEN', 'update'],
      [null, 'UNAUTHENTICATED', 'update'],
    ] as const) {
      const answer = await api.call({
        token,
        query: call(verb, field),
        variables: { input: { [`${field}Id`]: 'x' } },
      });
      expect(answer.errors?.map((error) => error.extensions.code)).toEqual([code]);
    }
  }
});
