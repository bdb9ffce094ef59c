import { beforeAll, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { newShop, now, type Shop } from '../purchases/shop.js';
import { useApi } from '../support/api.js';
import { newApiKey, newCustomer, newSession } from '../support/business.js';
import { newPackagePrice, newProductOffering } from '../support/catalog.js';
import { newDiscount } from '../support/discounts.js';
import { expectInvariants } from '../support/invariants.js';
import { creditWallet, newWallet } from '../support/wallets.js';
import { discountRows } from './discountCalls.js';

const api = useApi();
const runs = process.env.DEEP ? 300 : 30;

beforeAll(() => api.setNow(now));

const errors = 'userErrors { code path ... on DiscountNotApplicable { reason } }';
const preview = `query ($input: PreviewDiscountInput!) { previewDiscount(input: $input) {
  undiscounted { amount currencyCode } discount { amount } total { amount }
  applied { code amount { amount } remaining { amount } } licenseAmounts { amount } ${errors} } }`;
const previewed = async (token: string | null, input: object) =>
  (await api.call({ token, query: preview, variables: { input } })).data.previewDiscount;

/** What the shop's purchase has in common with its preview. */
const common = ({ packageId, subscriptionTypeId, input }: Shop) => {
  return { packageId, subscriptionTypeId, currencyCode: input.currencyCode };
};
const codesOf = (payload: any): string[] =>
  payload.userErrors.map(({ code, path, reason }: any) => [reason ?? code, path.slice(1).join('.')].join(' '));

test('a preview tells every step, and changes nothing', async () => {
  const shop = await newShop(api, { price: '9.99' });
  const { live } = shop.business;
  const half = await newDiscount(api, live, { isCombinable: true, percentBasisPoints: 5000, usageLimit: 1 });
  const off = await newDiscount(api, live, {
    isCombinable: true,
    amounts: [{ amount: '1', currencyCode: 'USD' }],
    stackingOrder: -1,
  });
  const before = await discountRows(api);
  const asked = { ...common(shop), customerId: shop.customerId, quantity: 2 };
  expect(await previewed(live, { ...asked, discountCode: half.code, discountCodes: [off.code] })).toEqual({
    undiscounted: { amount: '19.98', currencyCode: 'USD' },
    discount: { amount: '10.49' },
    total: { amount: '9.49' },
    applied: [
      { code: off.code, amount: { amount: '1.00' }, remaining: { amount: '18.98' } },
      { code: half.code, amount: { amount: '9.49' }, remaining: { amount: '9.49' } },
    ],
    licenseAmounts: [{ amount: '4.74' }, { amount: '4.75' }],
    userErrors: [],
  });
  expect(await previewed(live, asked)).toMatchObject({
    discount: { amount: '0.00' },
    total: { amount: '19.98' },
    applied: [],
  });
  expect(await discountRows(api)).toEqual(before);
});

test('a preview is exactly what the purchase then does, whatever the discounts, price, currency and quantity', async () => {
  const shops = new Map<string, { shop: Shop; codes: string[] }>();
  for (const [currencyCode, decimals] of [
    ['USD', 2],
    ['JPY', 0],
    ['KWD', 3],
  ] as const) {
    const shop = await newShop(api, { currencyCode, price: '7', funds: '2000000' });
    const { live } = shop.business;
    const unit = (minor: number) => (minor / 10 ** decimals).toFixed(decimals);
    const money = (minor: number) => [{ amount: unit(minor), currencyCode }];
    const rules = [
      { percentBasisPoints: 3333 },
      { percentBasisPoints: 1, stackingOrder: -1 },
      { percentBasisPoints: 10_000, stackingOrder: 3, usageLimit: 5 },
      { amounts: money(101), stackingOrder: 1 },
      { amounts: money(7), usageLimitPerCustomer: 8 },
      { percentBasisPoints: 1500, isCombinable: false },
      { percentBasisPoints: 777, packageIds: [shop.packageId], minimumSpends: money(5000) },
      { percentBasisPoints: 5000, eligibleCustomerIds: [await newCustomer(api, live)] },
    ];
    const codes = [];
    for (const rule of rules) codes.push((await newDiscount(api, live, { isCombinable: true, ...rule })).code);
    shops.set(currencyCode, { shop, codes: [...codes, 'UNKNOWN'] });
  }
  const query = `mutation ($input: PurchaseLicensesByWalletInput!) { purchaseLicensesByWallet(input: $input) {
    order { total { amount } lines { discount { amount } } discountRedemptions { code amount { amount } } }
    licenses { amount { minorUnits } discount { minorUnits } } ${errors} } }`;
  let done = 0;
  const purchases = fc.record({
    currency: fc.constantFrom('USD', 'JPY', 'KWD'),
    quantity: fc.integer({ min: 1, max: 9 }),
    picks: fc.uniqueArray(fc.nat(8), { maxLength: 3 }),
  });
  await fc.assert(
    fc.asyncProperty(purchases, async ({ currency, quantity, picks }) => {
      const { shop, codes } = shops.get(currency) as { shop: Shop; codes: string[] };
      const discountCodes = picks.map((pick) => codes[pick] as string);
      const { customerId, business } = shop;
      const told = await previewed(business.live, { ...common(shop), customerId, quantity, discountCodes });
      const variables = { input: { ...shop.input, quantity, discountCodes } };
      const { purchaseLicensesByWallet: bought } = (await api.call({ token: business.live, query, variables })).data;
      expect(codesOf(bought)).toEqual(codesOf(told));
      if (bought.order === null) return;
      done++;
      expect(bought.order.total).toEqual(told.total);
      expect(bought.order.lines).toEqual([{ discount: told.discount }]);
      expect(bought.order.discountRedemptions).toEqual(told.applied.map(({ code, amount }: any) => ({ code, amount })));
      const paid = bought.licenses.map(
        ({ amount, discount }: any) => BigInt(amount.minorUnits) - BigInt(discount.minorUnits),
      );
      expect(paid).toEqual(told.licenseAmounts.map(({ amount }: any) => BigInt(amount.replace('.', ''))));
    }),
    { numRuns: runs },
  );
  expect(done).toBeGreaterThan(runs / 6);
  await expectInvariants(api.db);
}, 600_000);

test('a preview of an offering: its price, and discounts of the revisions before it', async () => {
  const shop = await newShop(api);
  const { live } = shop.business;
  const offering = await newProductOffering(api, live);
  const packageId = await newPackagePrice(api, live);
  const { code } = await newDiscount(api, live, { productOfferingIds: [offering] });
  const customerId = shop.customerId;
  const ask = (input: object) => previewed(live, { customerId, currencyCode: 'USD', discountCode: code, ...input });
  const sell = `mutation ($input: CreateLicenseInput!) { createLicense(input: $input) { userErrors { message } } }`;
  await api.data({ token: live, query: sell, variables: { input: { productOfferingId: offering, customerId } } });
  const revise = `mutation ($input: UpdateProductOfferingInput!) { updateProductOffering(input: $input) { productOffering { id } userErrors { message } } }`;
  const variables = { input: { productOfferingId: offering, amount: '30' } };
  const { updateProductOffering } = await api.data({ token: live, query: revise, variables });
  const revision = updateProductOffering.productOffering.id as string;
  expect(revision).not.toBe(offering);
  expect(await ask({ productOfferingId: revision })).toMatchObject({ total: { amount: '27.00' }, userErrors: [] });
  expect(codesOf(await ask({ productOfferingId: offering }))).toEqual([
    'PRODUCT_OFFERING_UNAVAILABLE productOfferingId',
  ]);
  expect(codesOf(await ask({ productOfferingId: revision, currencyCode: 'EUR' }))).toEqual([
    'CURRENCY_MISMATCH currencyCode',
  ]);
  expect(codesOf(await ask(common(shop)))).toEqual(['NOT_FOR_THIS discountCode']);
  expect(codesOf(await ask({ productOfferingId: packageId }))).toEqual([
    'PRODUCT_OFFERING_NOT_FOUND productOfferingId',
  ]);
});

test('what a purchase refuses, its preview refuses; a session asks for itself only', async () => {
  const [shop, other] = [await newShop(api), await newShop(api)];
  const { live, test: testToken } = shop.business;
  const { code } = await newDiscount(api, live, { usageLimitPerCustomer: 1 });
  const fits = { ...common(shop), customerId: shop.customerId, discountCode: code };
  const ask = async (input: object, token = live) => codesOf(await previewed(token, { ...fits, ...input }));
  expect(await ask({ quantity: 101, currencyCode: 'ABC', packageId: null, customerId: null })).toEqual([
    'QUANTITY_OUT_OF_RANGE quantity',
    'INVALID_CURRENCY currencyCode',
    'INVALID_INPUT packageId',
    'INVALID_INPUT customerId',
  ]);
  expect(await ask({ discountCodes: Array.from({ length: 10 }, (_, i) => `C-${i}`) })).toEqual([
    'INVALID_INPUT discountCodes',
  ]);
  expect(await ask({ packageId: other.packageId })).toEqual(['PACKAGE_NOT_FOUND packageId']);
  expect(await ask({ subscriptionTypeId: other.subscriptionTypeId })).toEqual([
    'SUBSCRIPTION_TYPE_NOT_FOUND subscriptionTypeId',
  ]);
  expect(await ask({ currencyCode: 'EUR' })).toEqual(['PRICE_NOT_FOUND subscriptionTypeId']);
  expect(await ask({ customerId: other.customerId })).toEqual(['CUSTOMER_NOT_FOUND customerId']);
  expect(await ask({}, testToken)).toEqual(['MODE_MISMATCH customerId']);
  expect(await ask({}, other.business.live)).toEqual(['PACKAGE_NOT_FOUND packageId']);
  const session = await newSession(api, live, shop.customerId);
  expect((await previewed(session, { ...fits, customerId: null })).total).toEqual({ amount: '9.00' });
  const walletId = await newWallet(api, live, { customerId: shop.customerId });
  await creditWallet(api, live, walletId, '9');
  const query = `mutation ($input: PurchaseLicensesByWalletInput!) { purchaseLicensesByWallet(input: $input) { userErrors { message } } }`;
  await api.data({
    token: session,
    query,
    variables: { input: { ...shop.input, walletId, customerCode: null, discountCode: code } },
  });
  expect(await ask({}, session)).toEqual(['CUSTOMER_LIMIT_REACHED discountCode']);
  const stranger = await newSession(api, live, await newCustomer(api, live));
  expect(await ask({}, stranger)).toEqual(['CUSTOMER_NOT_FOUND customerId']);
  const writer = await newApiKey(api, live, ['DISCOUNTS_WRITE', 'PURCHASES_WRITE']);
  for (const [token, expected] of [
    [writer, 'FORBIDDEN'],
    [null, 'UNAUTHENTICATED'],
  ] as const) {
    const answer = await api.call({ token, query: preview, variables: { input: fits } });
    expect(answer.errors?.[0]?.extensions.code).toBe(expected);
  }
});
