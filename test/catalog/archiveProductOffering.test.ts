import { expect, test } from '@jest/globals';
import { useApi } from '../support/api.js';
import { newApiKey, newBusiness, newCustomer, newSession } from '../support/business.js';
import { newPackage, newProduct, newProductOffering } from '../support/catalog.js';
import { newLicense } from '../support/licenses.js';
import { catalogCalls, noon, unknownId } from './catalogCalls.js';
import { archiveProductOffering, readOffering, updateProductOffering } from './offeringCalls.js';

const api = useApi();
const { run, refusals, codesOfTwenty, stateOf } = catalogCalls(api);

test('updates refuse what does not fit and change nothing', async () => {
  const [business, other] = [await newBusiness(api), await newBusiness(api)];
  const { live } = business;
  const [id, gone, foreign] = [
    await newProductOffering(api, live),
    await newProductOffering(api, live),
    await newProductOffering(api, other.live),
  ];
  await newLicense(api, live, { productOfferingId: id });
  await run(live, archiveProductOffering, { productOfferingId: gone });
  const { productOffering: second } = await run(live, updateProductOffering, { productOfferingId: id, amount: '1' });
  await newLicense(api, live, { productOfferingId: second.id });
  const { productOffering: third } = await run(live, updateProductOffering, {
    productOfferingId: second.id,
    amount: '2',
  });
  const before = await stateOf(business);
  const nulls = {
    name: null,
    licenseType: null,
    amount: null,
    currencyCode: null,
    billingPeriod: null,
    boundMonths: null,
  };
  const rows: [Record<string, unknown>, [string, string][]][] = [
    [nulls, Object.keys(nulls).map((field) => ['INVALID_INPUT', `input.${field}`])],
    [{ name: ' ' }, [['INVALID_INPUT', 'input.name']]],
    [{ description: 'x'.repeat(2001) }, [['INVALID_INPUT', 'input.description']]],
    [{ licenseType: 'x'.repeat(65) }, [['INVALID_INPUT', 'input.licenseType']]],
    [{ boundMonths: 121 }, [['INVALID_INPUT', 'input.boundMonths']]],
    [{ boundMonths: -1 }, [['INVALID_INPUT', 'input.boundMonths']]],
    [{ group: 'x'.repeat(256) }, [['INVALID_INPUT', 'input.group']]],
    [{ amount: '-1' }, [['INVALID_AMOUNT', 'input.amount']]],
    [{ amount: '1.001' }, [['INVALID_AMOUNT', 'input.amount']]],
    [{ amount: '1.5', currencyCode: 'JPY' }, [['INVALID_AMOUNT', 'input.amount']]],
    [{ amount: '1', currencyCode: 'XXY' }, [['INVALID_CURRENCY', 'input.currencyCode']]],
    [{ currencyCode: 'EUR' }, [['INVALID_INPUT', 'input.amount']]],
    [{ amount: '3', expectedVersion: 2 }, [['STALE_OBJECT', 'input.expectedVersion']]],
    [{ productOfferingId: gone, amount: '3' }, [['PRODUCT_OFFERING_UNAVAILABLE', 'input.productOfferingId']]],
    ...[foreign, unknownId('offer'), 'x'].map((none): [Record<string, unknown>, [string, string][]] => [
      { productOfferingId: none, amount: '3' },
      [['PRODUCT_OFFERING_NOT_FOUND', 'input.productOfferingId']],
    ]),
  ];
  for (const [input, expected] of rows) {
    const { superseded, productOffering, userErrors } = await run(live, updateProductOffering, {
      productOfferingId: third.id,
      ...input,
    });
    const codes = userErrors.map(({ code, path }: any) => [code, path.join('.')]);
    expect([input, superseded, productOffering, codes]).toEqual([input, null, null, expected]);
  }
  for (const productOfferingId of [id, second.id]) {
    for (const [query, input] of [
      [updateProductOffering, { amount: '3', group: 'x' }],
      [archiveProductOffering, {}],
    ] as const) {
      const { userErrors } = await run(live, query, { productOfferingId, ...input });
      expect(userErrors).toEqual([
        {
          __typename: 'ProductOfferingSuperseded',
          code: 'PRODUCT_OFFERING_SUPERSEDED',
          path: ['input', 'productOfferingId'],
          message: `The offering was superseded and stays as it was sold. Its newest revision is ${third.id}.`,
          current: third.id,
        },
      ]);
    }
  }
  expect(await stateOf(business)).toBe(before);
});

test('nothing new is made of an archived or a superseded offering', async () => {
  const { live } = await newBusiness(api);
  const [sold, archived] = [await newProductOffering(api, live), await newProductOffering(api, live)];
  await newLicense(api, live, { productOfferingId: sold });
  const inPackage = await newPackage(api, live, { productOfferingIds: [archived] });
  await run(live, updateProductOffering, { productOfferingId: sold, amount: '1' });
  const { productOffering: before } = await api.data({ token: live, query: readOffering, variables: { id: archived } });
  const payload = await run(live, archiveProductOffering, { productOfferingId: archived });
  const shown = { ...before, status: 'ARCHIVED', version: 2, updatedAt: noon };
  expect(payload).toEqual({ productOffering: shown, userErrors: [] });
  expect(await run(live, archiveProductOffering, { productOfferingId: archived })).toEqual(payload);
  const create = `mutation ($input: CreateLicenseInput!) { createLicense(input: $input) { license { id } userErrors { code path } } }`;
  const bundle = `mutation ($input: CreatePackageInput!) { createPackage(input: $input) { package { id } userErrors { code path } } }`;
  const [customerId, primaryProductId] = [await newCustomer(api, live), await newProduct(api, live)];
  const query = 'query ($id: ID!) { package(id: $id) { productOfferings { id } } }';
  const stays = await api.data({ token: live, query, variables: { id: inPackage } });
  expect(stays.package.productOfferings).toEqual([{ id: archived }]);
  for (const productOfferingId of [sold, archived]) {
    expect(await refusals(live, create, { productOfferingId, customerId })).toEqual([
      ['PRODUCT_OFFERING_UNAVAILABLE', 'input.productOfferingId'],
    ]);
    const productOfferingIds = [productOfferingId];
    expect(await refusals(live, bundle, { primaryProductId, name: 'P', productOfferingIds })).toEqual([
      ['PRODUCT_OFFERING_UNAVAILABLE', 'input.productOfferingIds.0'],
    ]);
  }
});

test('many archivings at once are one change; foreign offerings and others that may not are turned away', async () => {
  const [{ live }, other] = [await newBusiness(api), await newBusiness(api)];
  const productOfferingId = await newProductOffering(api, live);
  for (const id of [await newProductOffering(api, other.live), unknownId('offer'), 'x']) {
    expect(await refusals(live, archiveProductOffering, { productOfferingId: id })).toEqual([
      ['PRODUCT_OFFERING_NOT_FOUND', 'input.productOfferingId'],
    ]);
  }
  expect(await codesOfTwenty(live, archiveProductOffering, { productOfferingId })).toEqual([]);
  const { productOffering } = await run(live, archiveProductOffering, { productOfferingId });
  expect(productOffering.version).toBe(2);
  const reader = await newApiKey(api, live, ['CATALOG_READ']);
  const session = await newSession(api, live, await newCustomer(api, live));
  for (const query of [archiveProductOffering, updateProductOffering]) {
    for (const [token, code] of [
      [reader, 'FORBIDDEN'],
      [session, 'FORBIDDEN'],
      [null, 'UNAUTHENTICATED'],
    ] as const) {
      const answer = await api.call({ token, query, variables: { input: { productOfferingId } } });
      expect(answer.errors?.map(({ extensions }) => extensions.code)).toEqual([code]);
    }
  }
});
