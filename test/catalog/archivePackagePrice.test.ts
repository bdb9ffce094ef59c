import { expect, test } from '@jest/globals';
import { useApi } from '../support/api.js';
import { newBusiness } from '../support/business.js';
import { newWorld, purchaseInput } from '../support/world.js';
import { catalogCalls, createPackagePrice, noon } from './catalogCalls.js';
import { call, read } from './updateCalls.js';

const api = useApi();
const { run, refusals, codesOfTwenty } = catalogCalls(api);

test('nothing is sold or renewed at an archived price; the package may have another one in its place', async () => {
  const { live } = await newBusiness(api);
  const world = await newWorld(api, live);
  const { packageId, subscriptionTypeId } = world;
  const query = 'query ($id: ID!) { package(id: $id) { prices { id } } packagePrices { nodes { id } } }';
  const shown = () => api.data({ token: live, query, variables: { id: packageId } });
  const [{ id: packagePriceId }] = (await shown()).package.prices;
  const { packagePrice: before } = await api.data({
    token: live,
    query: read('packagePrice'),
    variables: { id: packagePriceId },
  });
  const archived = { packagePrice: { ...before, archivedAt: noon, updatedAt: noon, version: 2 }, userErrors: [] };
  expect(await run(live, call('archive', 'packagePrice'), { packagePriceId })).toEqual(archived);
  expect(await run(live, call('archive', 'packagePrice'), { packagePriceId })).toEqual(archived);
  expect(await shown()).toEqual({ package: { prices: [] }, packagePrices: { nodes: [] } });
  const buy = `mutation ($input: PurchaseLicensesByWalletInput!) { purchaseLicensesByWallet(input: $input) {
    statusCode order { id } userErrors { code path } } }`;
  const bought = async (amount: string) => {
    const variables = { input: purchaseInput(world, { amount }) };
    return (await api.call({ token: live, query: buy, variables })).data.purchaseLicensesByWallet;
  };
  const refused = await bought('10.00');
  expect([refused.order, refused.userErrors.map(({ code }: any) => code)]).toEqual([null, ['PRICE_NOT_FOUND']]);
  const renew = `mutation ($input: RenewLicenseInput!) { renewLicense(input: $input) {
    order { total { amount } } userErrors { code path } } }`;
  const renewed = async () => {
    const variables = { input: { licenseId: world.licenseIds[0], walletId: world.walletId } };
    return (await api.call({ token: live, query: renew, variables })).data.renewLicense;
  };
  const unpriced = await renewed();
  expect([unpriced.order, unpriced.userErrors.map(({ code }: any) => code)]).toEqual([null, ['PRICE_NOT_FOUND']]);
  const price = { packageId, subscriptionTypeId, amount: '12', currencyCode: 'USD' };
  expect(await codesOfTwenty(live, createPackagePrice, price)).toEqual(Array(19).fill('PRICE_EXISTS'));
  expect((await shown()).package.prices).toHaveLength(1);
  expect((await bought('12.00')).userErrors).toEqual([]);
  expect(await renewed()).toEqual({ order: { total: { amount: '12.00' } }, userErrors: [] });
  // The archived one is still there for whoever asks, and does not come back.
  const list = 'query ($where: PackagePriceWhere) { packagePrices(where: $where) { nodes { id } } }';
  const found = await api.data({ token: live, query: list, variables: { where: { isArchived: true } } });
  expect(found.packagePrices.nodes).toEqual([{ id: packagePriceId }]);
  expect(await refusals(live, call('update', 'packagePrice'), { packagePriceId, amount: '1' })).toEqual([
    ['PACKAGE_PRICE_ARCHIVED', 'input.packagePriceId'],
  ]);
});
