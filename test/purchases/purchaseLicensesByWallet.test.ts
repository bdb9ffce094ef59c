import { afterEach, beforeAll, expect, test } from '@jest/globals';
import { useApi } from '../support/api.js';
import { newApiKey, newCustomer } from '../support/business.js';
import { attachEntitlement, newPackage, newProductOffering, newSubscriptionType } from '../support/catalog.js';
import { expectInvariants } from '../support/invariants.js';
import { balanceOf, creditWallet, newWallet } from '../support/wallets.js';
import { buy, newShop, now, refusals, rowCounts } from './shop.js';

const api = useApi();

beforeAll(() => api.setNow(now));
afterEach(() => expectInvariants(api.db));

const everything = `mutation ($input: PurchaseLicensesByWalletInput!) {
  purchaseLicensesByWallet(input: $input) {
    order {
      id number status customer { id } brand { id } wallet { id } total { amount currencyCode minorUnits }
      lines { position package { id } subscriptionType { id } quantity unitAmount { amount } total { amount } description }
      licenses { nodes { id } totalCount } ledgerTransaction { id kind reason reference order { number } }
      paymentReference completedAt testMode version createdAt updatedAt
    }
    licenses {
      number status type customer { id name } productOffering { id } package { id } subscriptionType { id } order { number }
      licenseKeys { key source status } grants { status fulfillmentMode } validFrom validUntil isActive activatedAt
      amount { amount } description tags testMode
    }
    wallet { id balance { amount } version }
    ledgerEntries { sequence isCredit amount { amount } balanceBefore { amount } balanceAfter { amount } transaction { id } }
    success data statusCode message
    userErrors { code }
  }
}`;

test('purchaseLicensesByWallet debits the wallet and gives order, licenses, keys and ledger entry', async () => {
  const shop = await newShop(api);
  const input = {
    ...shop.input,
    quantity: 2,
    description: ' For the team ',
    tags: ['#blue', ' team '],
    startDate: '2026-12-01T12:00:00.000Z',
    endDate: '2026-12-31T12:00:00.000Z',
  };
  const { purchaseLicensesByWallet: bought } = await api.data({
    token: shop.token,
    query: everything,
    variables: { input },
  });
  const license = {
    number: expect.stringMatching(/^L\d{9}$/),
    status: 'ACTIVE',
    type: 'studio',
    customer: { id: shop.customerId, name: 'Erika Mustermann' },
    productOffering: null,
    package: { id: shop.packageId },
    subscriptionType: { id: shop.subscriptionTypeId },
    order: { number: bought.order.number },
    licenseKeys: [{ key: expect.stringMatching(/^(\w{5}-){4}\w{5}$/), source: 'AUTO', status: 'ACTIVE' }],
    grants: [],
    validFrom: '2026-12-01T12:00:00.000Z',
    validUntil: '2026-12-31T12:00:00.000Z',
    isActive: true,
    activatedAt: now,
    amount: { amount: '10.00' },
    description: 'For the team',
    tags: ['#blue', 'team'],
    testMode: false,
  };
  expect(bought).toEqual({
    order: {
      id: expect.stringMatching(/^ord_[0-9a-hjkmnp-tv-z]{26}$/),
      number: expect.stringMatching(/^B\d{9}$/),
      status: 'COMPLETED',
      customer: { id: shop.customerId },
      brand: { id: shop.business.brandId },
      wallet: { id: shop.walletId },
      total: { amount: '20.00', currencyCode: 'USD', minorUnits: '2000' },
      lines: [
        {
          position: 1,
          package: { id: shop.packageId },
          subscriptionType: { id: shop.subscriptionTypeId },
          quantity: 2,
          unitAmount: { amount: '10.00' },
          total: { amount: '20.00' },
          description: 'For the team',
        },
      ],
      licenses: { nodes: [{ id: expect.any(String) }, { id: expect.any(String) }], totalCount: 2 },
      ledgerTransaction: {
        id: expect.stringMatching(/^ltx_/),
        kind: 'PURCHASE',
        reason: null,
        reference: null,
        order: { number: bought.order.number },
      },
      paymentReference: null,
      completedAt: now,
      testMode: false,
      version: 1,
      createdAt: now,
      updatedAt: now,
    },
    licenses: [license, license],
    wallet: { id: shop.walletId, balance: { amount: '80.00' }, version: 3 },
    ledgerEntries: [
      {
        sequence: '2',
        isCredit: false,
        amount: { amount: '20.00' },
        balanceBefore: { amount: '100.00' },
        balanceAfter: { amount: '80.00' },
        transaction: { id: bought.order.ledgerTransaction.id },
      },
    ],
    success: true,
    data: true,
    statusCode: 200,
    message: 'Licenses bought: 2.',
    userErrors: [],
  });
  const keys = bought.licenses.map((one: { licenseKeys: { key: string }[] }) => one.licenseKeys[0]?.key);
  expect(new Set(keys).size).toBe(2);
  const changes = await api.db.sql(
    null,
    `SELECT type, sequence FROM changes WHERE type ~ '^(order|license|wallet.debited)' AND created_at = $1 ORDER BY type`,
    [new Date(now)],
  );
  expect(changes).toEqual([
    { type: 'license.created', sequence: 1 },
    { type: 'license.created', sequence: 1 },
    { type: 'license_key.created', sequence: 1 },
    { type: 'license_key.created', sequence: 1 },
    // The answer shows the keys in full, which is recorded.
    { type: 'license_key.revealed', sequence: 2 },
    { type: 'license_key.revealed', sequence: 2 },
    { type: 'order.completed', sequence: 1 },
    { type: 'wallet.debited', sequence: 3 },
  ]);
});

test('grants of package, product and offerings come with each license; a code fulfils one that waits', async () => {
  const shop = await newShop(api);
  const { live } = shop.business;
  const offering = await newProductOffering(api, live);
  const packageId = await newPackage(api, live, { productOfferingIds: [offering] });
  const price = `mutation ($input: CreatePackagePriceInput!) { createPackagePrice(input: $input) { userErrors { message } } }`;
  const { subscriptionTypeId } = shop;
  await api.data({
    token: live,
    query: price,
    variables: { input: { packageId, subscriptionTypeId, amount: '10', currencyCode: 'USD' } },
  });
  await attachEntitlement(api, live, {
    target: { productOfferingId: offering },
    licenseKey: { fulfillmentMode: 'MANUAL' },
  });
  const grantsOf = async (input: object) => {
    const { purchaseLicensesByWallet } = await api.data({
      token: shop.token,
      query: everything.replace('grants {', 'grants { paymentId licenseKey { key }'),
      variables: { input: { ...shop.input, packageId, ...input } },
    });
    const { order, licenses } = purchaseLicensesByWallet;
    expect(licenses).toHaveLength(1);
    const [{ grants, licenseKeys }] = licenses;
    expect(grants).toHaveLength(1);
    expect(grants[0].paymentId).toBe(order.ledgerTransaction.id);
    return [grants[0].status, grants[0].fulfillmentMode, grants[0].licenseKey?.key ?? null, licenseKeys.length];
  };
  expect(await grantsOf({})).toEqual(['PENDING', 'MANUAL', null, 0]);
  expect(await grantsOf({ code: ' MY-OWN-KEY ' })).toEqual(['DELIVERED', 'MANUAL', 'MY-OWN-KEY', 1]);
});

test('a future start leaves licenses pending, a past one is kept; blank text is absent; one string of tags is split', async () => {
  const shop = await newShop(api);
  const bought = async (input: object) => {
    const variables = { input: { ...shop.input, ...input } };
    const { purchaseLicensesByWallet } = await api.data({ token: shop.token, query: everything, variables });
    const [{ status, validFrom, description, tags, licenseKeys }] = purchaseLicensesByWallet.licenses;
    return [status, validFrom, description, tags, licenseKeys[0].source];
  };
  const window = (startDate: string, endDate: string) => ({ startDate, endDate });
  expect(await bought({ ...window('2026-12-24', '2027-01-01'), tags: 'a, b,,#c ' })).toEqual([
    'PENDING',
    '2026-12-24T00:00:00.000Z',
    null,
    ['a', 'b', '#c'],
    'AUTO',
  ]);
  const blank = { code: ' ', description: '', tags: ' , ', customerCode: '  ', customerId: shop.customerId };
  expect(await bought({ ...window('2026-11-15', '2026-12-02'), ...blank, quantity: null, testMode: false })).toEqual([
    'ACTIVE',
    '2026-11-15T00:00:00.000Z',
    null,
    [],
    'AUTO',
  ]);
  const own = await bought({ code: ' SUPPLIED-KEY ', tags: null, description: null });
  expect(own[4]).toBe('SUPPLIED');
});

test('what is free writes no ledger transaction', async () => {
  const shop = await newShop(api, { price: '0', funds: '0' });
  const { purchaseLicensesByWallet: bought } = await api.data({
    token: shop.token,
    query: everything,
    variables: { input: { ...shop.input, quantity: 3 } },
  });
  expect([bought.order.total.amount, bought.order.ledgerTransaction, bought.ledgerEntries]).toEqual(['0.00', null, []]);
  expect([bought.licenses.length, bought.success, bought.wallet.balance.amount, bought.wallet.version]).toEqual([
    3,
    true,
    '0.00',
    1,
  ]);
});

test.each([
  ['JPY', '1000', 3, '5000', '2000'],
  ['KWD', '0.333', 100, '33.301', '0.001'],
  ['USD', '2147483647', 1, '2147483647', '0.00'],
])('in %s, %s times %s out of %s leaves %s', async (currencyCode, price, quantity, funds, left) => {
  const shop = await newShop(api, { currencyCode, price, funds });
  const answer = await buy(api, shop.token, { ...shop.input, quantity });
  expect(answer.data.purchaseLicensesByWallet.wallet.balance).toEqual({ amount: left });
  expect(answer.data.purchaseLicensesByWallet.licenses).toHaveLength(quantity);
});

test('everything that needs no look is refused at once, and nothing changes', async () => {
  const shop = await newShop(api);
  const before = await rowCounts(api);
  const all = await buy(api, shop.token, {
    ...shop.input,
    amount: '2147483648',
    currencyCode: 'usd',
    quantity: 101,
    code: 'x'.repeat(513),
    description: 'x'.repeat(2001),
    tags: ['x'.repeat(65)],
    startDate: '2026-12-31',
    endDate: '2026-12-30',
    testMode: true,
    customerCode: null,
  });
  expect(refusals(all).sort()).toEqual([
    'CODE_WITH_MULTIPLE_QUANTITY input.code',
    'INVALID_AMOUNT input.amount',
    'INVALID_CURRENCY input.currencyCode',
    'INVALID_DATE_RANGE input.startDate',
    'INVALID_INPUT input.code',
    'INVALID_INPUT input.customerCode',
    'INVALID_INPUT input.description',
    'INVALID_INPUT input.tags.0',
    'MODE_MISMATCH input.testMode',
    'QUANTITY_OUT_OF_RANGE input.quantity',
  ]);
  const refusedFor = async (input: object) => refusals(await buy(api, shop.token, { ...shop.input, ...input }));
  for (const amount of ['2147483648', '-0.01', '10.001', '2147483647.01']) {
    expect([amount, await refusedFor({ amount })]).toEqual([amount, ['INVALID_AMOUNT input.amount']]);
  }
  for (const currencyCode of ['usd', 'US', 'USDX', 'XXX', 'ABC', '', ' USD']) {
    expect([currencyCode, await refusedFor({ currencyCode })]).toEqual([
      currencyCode,
      ['INVALID_CURRENCY input.currencyCode'],
    ]);
  }
  for (const quantity of [0, -1, 101, 2147483647]) {
    expect([quantity, await refusedFor({ quantity })]).toEqual([quantity, ['QUANTITY_OUT_OF_RANGE input.quantity']]);
  }
  expect(await refusedFor({ code: 'MINE', quantity: 2 })).toEqual(['CODE_WITH_MULTIPLE_QUANTITY input.code']);
  expect(await refusedFor({ code: '- -' })).toEqual(['KEY_BLANK input.code']);
  expect(await refusedFor({ tags: Array.from({ length: 51 }, (_, i) => `t${i}`) })).toEqual([
    'INVALID_INPUT input.tags',
  ]);
  const [same, past] = ['2026-12-05T00:00:00Z', '2026-12-01T12:00:00Z'];
  expect(await refusedFor({ startDate: same, endDate: same })).toEqual(['INVALID_DATE_RANGE input.startDate']);
  expect(await refusedFor({ startDate: '2026-11-20', endDate: past })).toEqual(['INVALID_DATE_RANGE input.endDate']);
  expect(await refusedFor({ customerCode: null })).toEqual(['INVALID_INPUT input.customerCode']);
  expect(await rowCounts(api)).toEqual(before);
  expect(await balanceOf(api, shop.token, shop.walletId)).toBe(10_000n);
});

test('refusals carry what the caller needs to do better', async () => {
  const shop = await newShop(api, { funds: '15' });
  const query = `mutation ($input: PurchaseLicensesByWalletInput!) { purchaseLicensesByWallet(input: $input) { statusCode userErrors {
    code path
    ... on QuantityOutOfRange { minimum maximum } ... on InvalidDateRange { latestEndDate }
    ... on PriceMismatch { expectedPrice: expected { amount currencyCode } } ... on CurrencyMismatch { expected }
    ... on InsufficientFunds { required { amount minorUnits } available { amount currencyCode } } } } }`;
  const refused = async (input: object) => {
    const variables = { input: { ...shop.input, ...input } };
    const { purchaseLicensesByWallet } = (await api.call({ token: shop.token, query, variables })).data;
    expect(purchaseLicensesByWallet.userErrors).toHaveLength(1);
    const { path, ...error } = purchaseLicensesByWallet.userErrors[0];
    return [purchaseLicensesByWallet.statusCode, path.join('.'), error];
  };
  const before = await rowCounts(api);
  expect(await refused({ quantity: 0 })).toEqual([
    400,
    'input.quantity',
    { code: 'QUANTITY_OUT_OF_RANGE', minimum: 1, maximum: 100 },
  ]);
  expect(await refused({ quantity: 2 })).toEqual([
    402,
    'input.walletId',
    {
      code: 'INSUFFICIENT_FUNDS',
      required: { amount: '20.00', minorUnits: '2000' },
      available: { amount: '15.00', currencyCode: 'USD' },
    },
  ]);
  expect(await refused({ amount: '9.99' })).toEqual([
    409,
    'input.amount',
    { code: 'PRICE_MISMATCH', expectedPrice: { amount: '10.00', currencyCode: 'USD' } },
  ]);
  expect(await refused({ currencyCode: 'EUR' })).toEqual([
    409,
    'input.currencyCode',
    { code: 'CURRENCY_MISMATCH', expected: 'USD' },
  ]);
  expect(await refused({ endDate: '2026-12-31T12:00:00.001Z' })).toEqual([
    400,
    'input.endDate',
    { code: 'INVALID_DATE_RANGE', latestEndDate: '2026-12-31T12:00:00.000Z' },
  ]);
  expect(await refused({ startDate: '2027-01-01', endDate: '2026-12-31' })).toEqual([
    400,
    'input.startDate',
    { code: 'INVALID_DATE_RANGE', latestEndDate: null },
  ]);
  expect(await rowCounts(api)).toEqual(before);
});

test('what is not there, or does not go together, is refused and changes nothing', async () => {
  const shop = await newShop(api);
  const { business, token } = shop;
  const { live } = business;
  const other = await newShop(api);
  const inTest = await newWallet(api, business.test, { currencyCode: 'USD' });
  const testCustomer = await newCustomer(api, business.test, { code: 'TESTER' });
  const stranger = await newCustomer(api, live, { code: 'STRANGER' });
  const unpriced = await newSubscriptionType(api, live);
  const url = 'outlet.' + business.brandUrl;
  const { createBrand } = await api.data({
    token: live,
    query: `mutation ($input: CreateBrandInput!) { createBrand(input: $input) { brand { id } userErrors { message } } }`,
    variables: { input: { name: 'Outlet', url } },
  });
  expect(createBrand.brand.id).toMatch(/^brand_/);
  const elsewhere = await newCustomerOf(url, live);
  const before = await rowCounts(api);
  const refusedFor = async (input: object, headers = {}) => {
    const answer = await buy(api, token, { ...shop.input, ...input }, headers);
    return [answer.data.purchaseLicensesByWallet.statusCode, ...refusals(answer)];
  };
  for (const walletId of [other.walletId, 'wal_00000000000000000000000000', 'nonsense', shop.packageId]) {
    expect(await refusedFor({ walletId })).toEqual([404, 'WALLET_NOT_FOUND input.walletId']);
  }
  expect(await refusedFor({ walletId: inTest })).toEqual([409, 'MODE_MISMATCH input.walletId']);
  expect(await refusedFor({ packageId: other.packageId })).toEqual([404, 'PACKAGE_NOT_FOUND input.packageId']);
  expect(await refusedFor({ subscriptionTypeId: other.subscriptionTypeId })).toEqual([
    404,
    'SUBSCRIPTION_TYPE_NOT_FOUND input.subscriptionTypeId',
  ]);
  expect(await refusedFor({ subscriptionTypeId: unpriced })).toEqual([404, 'PRICE_NOT_FOUND input.subscriptionTypeId']);
  expect(await refusedFor({ customerCode: 'NOBODY' })).toEqual([404, 'CUSTOMER_NOT_FOUND input.customerCode']);
  expect(await refusedFor({ customerCode: 'TESTER' })).toEqual([404, 'CUSTOMER_NOT_FOUND input.customerCode']);
  expect(await refusedFor({ customerCode: null, customerId: other.customerId })).toEqual([
    404,
    'CUSTOMER_NOT_FOUND input.customerId',
  ]);
  expect(await refusedFor({ customerCode: null, customerId: testCustomer })).toEqual([
    409,
    'MODE_MISMATCH input.customerId',
  ]);
  expect(await refusedFor({ customerId: stranger })).toEqual([404, 'CUSTOMER_NOT_FOUND input.customerCode']);
  expect(await refusedFor({ customerCode: null, customerId: elsewhere })).toEqual([
    409,
    'BRAND_MISMATCH input.customerId',
  ]);
  expect(await refusedFor({}, { 'brand-url': url })).toEqual([409, 'BRAND_MISMATCH input.walletId']);
  expect(await rowCounts(api)).toEqual(before);
  await creditWallet(api, live, shop.walletId, '1');
  const found = await buy(
    api,
    token,
    { ...shop.input, customerId: shop.customerId },
    { 'brand-url': business.brandUrl },
  );
  expect(found.data.purchaseLicensesByWallet.userErrors).toEqual([]);
});

/** A customer of another brand of the same business. */
async function newCustomerOf(brandUrl: string, token: string): Promise<string> {
  const { createCustomer } = await api.data({
    token,
    query: `mutation ($input: CreateCustomerInput!) { createCustomer(input: $input) { customer { id } userErrors { message } } }`,
    variables: { input: {} },
    headers: { 'brand-url': brandUrl },
  });
  return createCustomer.customer.id;
}

test('a customer is found by code first, then by number', async () => {
  const shop = await newShop(api);
  const { live } = shop.business;
  const numberOf = async (id: string) => {
    const query = 'query ($id: ID!) { customer(id: $id) { number } }';
    return (await api.data({ token: live, query, variables: { id } })).customer.number as string;
  };
  const buyerOf = async (customerCode: string) => {
    const variables = { input: { ...shop.input, customerCode } };
    const { purchaseLicensesByWallet } = await api.data({ token: shop.token, query: everything, variables });
    expect(purchaseLicensesByWallet.order.customer).toEqual({ id: shop.customerId });
    return purchaseLicensesByWallet.licenses[0].customer.id;
  };
  const plain = await newCustomer(api, live);
  expect(await buyerOf(await numberOf(plain))).toBe(plain);
  const impostor = await newCustomer(api, live, { code: await numberOf(plain) });
  expect(await buyerOf(await numberOf(plain))).toBe(impostor);
});

test('a key that is taken is refused in any spelling, and the wallet keeps its money', async () => {
  const shop = await newShop(api);
  const first = await buy(api, shop.token, { ...shop.input, code: 'MY-KEY-1' });
  expect(first.data.purchaseLicensesByWallet.success).toBe(true);
  const before = await rowCounts(api);
  const second = await buy(api, shop.token, { ...shop.input, code: 'my key 1' });
  expect(refusals(second)).toEqual(['LICENSE_KEY_TAKEN input.code']);
  expect(second.data.purchaseLicensesByWallet.statusCode).toBe(409);
  expect(await rowCounts(api)).toEqual(before);
  expect(await balanceOf(api, shop.token, shop.walletId)).toBe(9_000n);
  const other = await newShop(api);
  expect(
    (await buy(api, other.token, { ...other.input, code: 'MY-KEY-1' })).data.purchaseLicensesByWallet.success,
  ).toBe(true);
});

test('test money buys test licenses with the same catalog', async () => {
  const shop = await newShop(api);
  const token = shop.business.test;
  const customerId = await newCustomer(api, token, { code: 'BUYER' });
  const walletId = await newWallet(api, token, { customerId });
  await creditWallet(api, token, walletId, '10');
  const { purchaseLicensesByWallet: bought } = await api.data({
    token,
    query: everything,
    variables: { input: { ...shop.input, walletId, testMode: true } },
  });
  expect([bought.order.testMode, bought.licenses[0].testMode, bought.licenses[0].customer.id]).toEqual([
    true,
    true,
    customerId,
  ]);
  expect(await balanceOf(api, token, walletId)).toBe(0n);
  expect(await balanceOf(api, shop.token, shop.walletId)).toBe(10_000n);
});

test('PRICES_OVERRIDE lifts the price and the latest end, and nothing else', async () => {
  const shop = await newShop(api);
  const { live } = shop.business;
  const input = { ...shop.input, amount: '7.50', endDate: '2036-12-31' };
  const bought = await buy(api, live, input);
  expect(bought.data.purchaseLicensesByWallet.wallet.balance).toEqual({ amount: '92.50' });
  expect(refusals(await buy(api, live, { ...input, endDate: shop.input.startDate }))).toEqual([
    'INVALID_DATE_RANGE input.startDate',
  ]);
  expect(refusals(await buy(api, live, { ...input, amount: '100', endDate: shop.input.endDate }))).toEqual([
    'INSUFFICIENT_FUNDS input.walletId',
  ]);
});

test('a key without the scope and a caller without a token may not', async () => {
  const shop = await newShop(api);
  const narrow = await newApiKey(api, shop.business.live, ['WALLETS_WRITE', 'ORDERS_WRITE']);
  const before = await rowCounts(api);
  for (const [token, code] of [
    [narrow, 'FORBIDDEN'],
    [null, 'UNAUTHENTICATED'],
  ] as const) {
    const denied = await buy(api, token, shop.input);
    expect(denied.errors?.map((error) => error.extensions.code)).toEqual([code]);
  }
  expect(await rowCounts(api)).toEqual(before);
});
