import { afterEach, beforeAll, expect, test } from '@jest/globals';
import type pg from 'pg';
import { buy, newShop, now, refusals, rowCounts, type Shop } from '../purchases/shop.js';
import { useApi } from '../support/api.js';
import { newCustomer, newSession } from '../support/business.js';
import { newPackage, newProduct, newProductOffering } from '../support/catalog.js';
import { newDiscount, newDiscountCodes } from '../support/discounts.js';
import { expectInvariants } from '../support/invariants.js';
import { balanceOf, newWallet } from '../support/wallets.js';
import { discountRows, done, refused } from './discountCalls.js';

const api = useApi();

beforeAll(() => api.setNow(now));
afterEach(() => expectInvariants(api.db));

const redemptionFields = `id code position amount { amount currencyCode } createdAt customer { id } order { id } discount { id }`;
const purchase = `mutation ($input: PurchaseLicensesByWalletInput!) { purchaseLicensesByWallet(input: $input) {
  order { id total { amount } lines { unitAmount { amount } discount { amount } total { amount } }
    discountRedemptions { ${redemptionFields} } ledgerTransaction { id } }
  licenses { amount { amount } discount { amount } }
  wallet { balance { amount } } ledgerEntries { amount { amount } } success statusCode userErrors { code } } }`;

/** Buys with these fields; with the business's own key, so that everything can be read. */
async function bought(shop: Shop, fields: object, token = shop.business.live): Promise<any> {
  const variables = { input: { ...shop.input, ...fields } };
  return (await api.data({ token, query: purchase, variables })).purchaseLicensesByWallet;
}

/** Why the purchase is refused: reason and path of each code. */
async function reasons(shop: Shop, fields: object, token = shop.token): Promise<string[]> {
  const query = `mutation ($input: PurchaseLicensesByWalletInput!) { purchaseLicensesByWallet(input: $input) {
    order { id } statusCode userErrors { __typename code path message ... on DiscountNotApplicable { reason } } } }`;
  const answer = await api.call({ token, query, variables: { input: { ...shop.input, ...fields } } });
  const { order, statusCode, userErrors } = answer.data.purchaseLicensesByWallet;
  expect([order, statusCode, answer.errors]).toEqual([null, 400, undefined]);
  return userErrors.map(({ __typename, code, path, reason }: any) => {
    expect([__typename, code]).toEqual(['DiscountNotApplicable', 'DISCOUNT_NOT_APPLICABLE']);
    return `${reason} ${path.slice(1).join('.')}`;
  });
}

const usd = (amount: string) => ({ amount, currencyCode: 'USD' });

test('a purchase with a code pays less, and its parts are exactly the whole', async () => {
  const shop = await newShop(api);
  const { live } = shop.business;
  const discount = await newDiscount(api, live, { code: 'One-Off', amounts: [usd('1')], usageLimit: 5 });
  const made = await bought(shop, { quantity: 3, discountCode: ' one-off ' });
  const redemption = {
    id: expect.stringMatching(/^dred_/),
    code: 'One-Off',
    position: 1,
    amount: { amount: '1.00', currencyCode: 'USD' },
    createdAt: now,
    customer: { id: shop.customerId },
    order: { id: made.order.id },
    discount: { id: discount.id },
  };
  expect(made).toEqual({
    order: {
      id: expect.any(String),
      total: { amount: '29.00' },
      lines: [{ unitAmount: { amount: '10.00' }, discount: { amount: '1.00' }, total: { amount: '29.00' } }],
      discountRedemptions: [redemption],
      ledgerTransaction: { id: expect.any(String) },
    },
    licenses: ['0.34', '0.33', '0.33'].map((amount) => ({ amount: { amount: '10.00' }, discount: { amount } })),
    wallet: { balance: { amount: '71.00' } },
    ledgerEntries: [{ amount: { amount: '29.00' } }],
    success: true,
    statusCode: 200,
    userErrors: [],
  });
  const query = `query ($id: ID!, $customer: ID!, $node: ID!) {
    discount(id: $id) { usedCount status redemptions { nodes { ${redemptionFields} } totalCount } codes { nodes { usedCount } } }
    customer(id: $customer) { discountRedemptions(where: { discountId: { in: [$id] } }) { nodes { ${redemptionFields} } } }
    node(id: $node) { ... on DiscountRedemption { ${redemptionFields} } } }`;
  const [{ id: node }] = made.order.discountRedemptions;
  expect(
    await api.data({ token: live, query, variables: { id: discount.id, customer: shop.customerId, node } }),
  ).toEqual({
    discount: {
      usedCount: 1,
      status: 'ACTIVE',
      redemptions: { nodes: [redemption], totalCount: 1 },
      codes: { nodes: [{ usedCount: 1 }] },
    },
    customer: { discountRedemptions: { nodes: [redemption] } },
    node: redemption,
  });
  const changes = await api.db.sql(null, "SELECT sequence, snapshot FROM changes WHERE type = 'discount.redeemed'", []);
  expect(changes).toMatchObject([{ sequence: 1, snapshot: { position: 1, currency: 'USD', amountMinor: '100' } }]);
});

test('every reason why a code cannot be used; nothing is redeemed then, and nothing else happens', async () => {
  const shop = await newShop(api);
  const { live } = shop.business;
  const stranger = await newCustomer(api, live);
  const make = async (fields: object = {}) => (await newDiscount(api, live, { isCombinable: true, ...fields })).code;
  const archived = await newDiscount(api, live);
  await done(api, live, 'archiveDiscount', { discountId: archived.id });
  const ended = await newDiscount(api, live);
  await done(api, live, 'updateDiscount', { discountId: ended.id, expiresAt: now });
  const parent = await newDiscount(api, live, { isCombinable: true });
  const [once = ''] = await newDiscountCodes(api, live, parent.id, 1);
  const scarce = await make({ usageLimit: 1 });
  const each = await make({ usageLimitPerCustomer: 1 });
  for (const code of [once, scarce, each]) await bought(shop, { discountCode: code });
  const [alone, whole, plain] = [
    await make({ isCombinable: false }),
    await make({ percentBasisPoints: 10_000 }),
    await make({ stackingOrder: 9 }),
  ];
  const eur = [{ amount: '1', currencyCode: 'EUR' }];
  const singles: Record<string, string> = {
    UNKNOWN_CODE: 'NO-SUCH-CODE',
    ARCHIVED: archived.code,
    NOT_STARTED: await make({ startsAt: '2026-12-01T12:00:00.001Z' }),
    EXPIRED: ended.code,
    USED_UP: scarce,
    CODE_USED_UP: once,
    CUSTOMER_LIMIT_REACHED: each,
    CUSTOMER_NOT_ELIGIBLE: await make({ eligibleCustomerIds: [stranger] }),
    CURRENCY_NOT_COVERED: await make({ amounts: eur }),
    MINIMUM_SPEND_NOT_MET: await make({ minimumSpends: [usd('10.01')] }),
  };
  const notForThis = [
    { productIds: [await newProduct(api, live)] },
    { packageIds: [await newPackage(api, live)] },
    { productOfferingIds: [await newProductOffering(api, live)] },
  ];
  const before = [await rowCounts(api), await discountRows(api)];
  for (const [reason, discountCode] of Object.entries(singles)) {
    expect(await reasons(shop, { discountCode })).toEqual([`${reason} discountCode`]);
  }
  const both = { discountCode: plain, discountCodes: [parent.code, ` ${plain.toLowerCase()} `] };
  expect(await reasons(shop, both)).toEqual(['GIVEN_TWICE discountCodes.1']);
  expect(await reasons(shop, { discountCodes: [plain, alone] })).toEqual(['NOT_COMBINABLE discountCodes.1']);
  expect(await reasons(shop, { discountCodes: [plain, whole] })).toEqual(['NO_EFFECT discountCodes.0']);
  expect([await rowCounts(api), await discountRows(api)]).toEqual(before);
  for (const limits of notForThis) {
    expect(await reasons(shop, { discountCode: await make(limits) })).toEqual(['NOT_FOR_THIS discountCode']);
  }
  expect(await reasons(shop, { discountCode: await make({ minimumSpends: eur }) })).toEqual([
    'CURRENCY_NOT_COVERED discountCode',
  ]);
  const many = Array.from({ length: 11 }, (_, i) => `C-${i}`);
  expect(refusals(await buy(api, shop.token, { ...shop.input, discountCodes: many }))).toEqual([
    'INVALID_INPUT input.discountCodes',
  ]);
  // Refused for another reason, it redeems nothing either.
  const poor = { walletId: await newWallet(api, live, { customerId: shop.customerId }), discountCode: plain };
  expect(refusals(await buy(api, shop.token, { ...shop.input, ...poor }))).toEqual([
    'INSUFFICIENT_FUNDS input.walletId',
  ]);
  expect(
    (await api.data({ token: live, query: `{ discount(code: "${plain}") { usedCount } }` })).discount.usedCount,
  ).toBe(0);
  expect(await bought(shop, { discountCode: '  ', discountCodes: ['', ' '] })).toMatchObject({
    order: { total: { amount: '10.00' }, lines: [{ discount: { amount: '0.00' } }], discountRedemptions: [] },
    licenses: [{ discount: { amount: '0.00' } }],
  });
});

test('what fits exactly is used: the first and the last moment, the very minimum, the named product, the named customer', async () => {
  const shop = await newShop(api);
  const { live } = shop.business;
  const { package: product } = await api.data({
    token: live,
    query: `{ package(id: "${shop.packageId}") { primaryProduct { id } } }`,
  });
  const fits = [
    { startsAt: now },
    { expiresAt: '2026-12-01T12:00:00.001Z' },
    { minimumSpends: [usd('10')] },
    { productIds: [product.primaryProduct.id], packageIds: [await newPackage(api, live)] },
    { packageIds: [shop.packageId] },
    { eligibleCustomerIds: [shop.customerId, await newCustomer(api, live)] },
  ];
  for (const fields of fits) {
    const { code } = await newDiscount(api, live, fields);
    expect((await bought(shop, { discountCode: code })).order.total).toEqual({ amount: '9.00' });
  }
});

test.each([
  [
    'JPY',
    '333',
    3,
    [{ percentBasisPoints: 1000 }, { amounts: [{ amount: '50', currencyCode: 'JPY' }] }],
    ['99', '50'],
    '850',
  ],
  [
    'KWD',
    '0.333',
    7,
    [
      { percentBasisPoints: 3333, stackingOrder: 2 },
      { amounts: [{ amount: '0.001', currencyCode: 'KWD' }], stackingOrder: 1 },
    ],
    ['0.001', '0.776'],
    '1.554',
  ],
  ['USD', '9.99', 2, [{ percentBasisPoints: 10_000 }], ['19.98'], '0.00'],
])('in %s, %s times %d is stacked exactly', async (currencyCode, price, quantity, rules, off, total) => {
  const shop = await newShop(api, { currencyCode, price, funds: '5000' });
  const codes = [];
  for (const rule of rules)
    codes.push((await newDiscount(api, shop.business.live, { isCombinable: true, ...rule })).code);
  const made = await bought(shop, { quantity, discountCodes: codes.reverse() });
  expect(made.order.discountRedemptions.map(({ amount }: any) => amount.amount)).toEqual(off);
  expect(made.order.total.amount).toBe(total);
  // What is free writes no ledger transaction, and is redeemed all the same.
  expect([made.order.ledgerTransaction === null, made.ledgerEntries.length]).toEqual(
    total === '0.00' ? [true, 0] : [false, 1],
  );
});

test('a purchase without a code sends no further statement; one with a code one more, and one for each limit', async () => {
  const shop = await newShop(api);
  const { live } = shop.business;
  const unlimited = await newDiscount(api, live);
  const limited = await newDiscount(api, live, { usageLimit: 9 });
  const limits = await newDiscount(api, live, { usageLimit: 9, usageLimitPerCustomer: 9 });
  const [code = ''] = await newDiscountCodes(api, live, limits.id, 1);
  const sent: string[] = [];
  const wrapped = new Set<unknown>();
  const watch = (client: pg.PoolClient) => {
    if (wrapped.has(client)) return;
    wrapped.add(client);
    const query = client.query.bind(client) as (...args: unknown[]) => unknown;
    client.query = ((...args: unknown[]) => {
      sent.push((args[0] as { text?: string }).text ?? String(args[0]));
      return query(...args);
    }) as typeof client.query;
  };
  const { pool } = api.db.writer;
  pool.on('acquire', watch);
  const statements = async (fields: object) => {
    sent.length = 0;
    expect((await buy(api, shop.token, { ...shop.input, ...fields })).data.purchaseLicensesByWallet.success).toBe(true);
    return [...sent];
  };
  await statements({});
  const without = await statements({});
  expect(without.length).toBeGreaterThan(5);
  expect(without.filter((text) => /\bdiscount(s|_codes|_redemptions|_customer_uses)\b/.test(text))).toEqual([]);
  const more = [];
  for (const discountCode of [unlimited.code, limited.code, code])
    more.push((await statements({ discountCode })).length - without.length);
  expect(more).toEqual([1, 2, 4]);
  pool.off('acquire', watch);
});

test('a repeated call redeems once, and tells the same', async () => {
  const shop = await newShop(api);
  const { id, code } = await newDiscount(api, shop.business.live, { usageLimit: 1 });
  const fields = { discountCode: code, idempotencyKey: 'once' };
  const answers = await Promise.all(Array.from({ length: 8 }, () => bought(shop, fields)));
  expect(new Set(answers.map((answer) => JSON.stringify(answer))).size).toBe(1);
  expect(await bought(shop, fields)).toEqual(answers[0]);
  const { discount } = await api.data({
    token: shop.business.live,
    query: `{ discount(id: "${id}") { usedCount status } }`,
  });
  expect(discount).toEqual({ usedCount: 1, status: 'USED_UP' });
  const used = '{ discounts(where: { status: { in: [USED_UP] } }) { nodes { id } } }';
  expect((await api.data({ token: shop.business.live, query: used })).discounts.nodes).toEqual([{ id }]);
  expect(await balanceOf(api, shop.token, shop.walletId)).toBe(9_100n);
});

test('what was redeemed keeps its amounts, and counts for limits that come later', async () => {
  const shop = await newShop(api);
  const { live } = shop.business;
  const { id: discountId, code } = await newDiscount(api, live, { name: 'Old' });
  for (let i = 0; i < 2; i++) await bought(shop, { discountCode: code });
  const lower = { discountId, usageLimit: 1 };
  expect(await refused(api, live, 'updateDiscount', lower)).toEqual(['INVALID_INPUT input.usageLimit']);
  const { discount } = await done(api, live, 'updateDiscount', { discountId, percentBasisPoints: 5000, usageLimit: 3 });
  expect([discount.usedCount, discount.status]).toEqual([2, 'ACTIVE']);
  expect((await bought(shop, { discountCode: code })).order.total.amount).toBe('5.00');
  expect(await reasons(shop, { discountCode: code })).toEqual(['USED_UP discountCode']);
  await done(api, live, 'updateDiscount', { discountId, usageLimit: null, usageLimitPerCustomer: 4 });
  await bought(shop, { discountCode: code });
  expect(await reasons(shop, { discountCode: code })).toEqual(['CUSTOMER_LIMIT_REACHED discountCode']);
  const again = await done(api, live, 'updateDiscount', { discountId, usageLimit: 10, usageLimitPerCustomer: null });
  expect(again.discount.usedCount).toBe(4);
  await bought(shop, { discountCode: code });
  const query = `{ discount(id: "${discountId}") { usedCount redemptions(orderBy: { direction: ASC }) { nodes { amount { amount } } } } }`;
  const seen = (await api.data({ token: live, query })).discount;
  expect([seen.usedCount, seen.redemptions.nodes.map(({ amount }: any) => amount.amount)]).toEqual([
    5,
    ['1.00', '1.00', '5.00', '5.00', '5.00'],
  ]);
  await expect(api.db.sql(null, 'UPDATE discount_redemptions SET amount_minor = 1', [])).rejects.toThrow('append-only');
});

test('a session redeems for itself, a gift too; it sees its own redemptions, and of the discount only the code', async () => {
  const shop = await newShop(api);
  const { live } = shop.business;
  await newCustomer(api, live, { code: 'FRIEND' });
  const { code } = await newDiscount(api, live, { usageLimitPerCustomer: 1, eligibleCustomerIds: [shop.customerId] });
  const session = await newSession(api, live, shop.customerId);
  const gift = { customerCode: 'FRIEND', discountCode: code };
  expect((await buy(api, session, { ...shop.input, ...gift })).data.purchaseLicensesByWallet.order.total.amount).toBe(
    '9.00',
  );
  expect(await reasons(shop, { customerCode: null, discountCode: code }, session)).toEqual([
    'CUSTOMER_LIMIT_REACHED discountCode',
  ]);
  const query = `query ($id: ID!) { customer(id: $id) { discountRedemptions { nodes { code amount { amount } discount { id } order { total { amount } } } } }
    orders { nodes { discountRedemptions { code } lines { discount { amount } } } } }`;
  const seen = await api.call({ token: session, query, variables: { id: shop.customerId } });
  expect(seen.data).toEqual({
    customer: {
      discountRedemptions: {
        nodes: [{ code, amount: { amount: '1.00' }, discount: null, order: { total: { amount: '9.00' } } }],
      },
    },
    orders: { nodes: [{ discountRedemptions: [{ code }], lines: [{ discount: { amount: '1.00' } }] }] },
  });
  expect(seen.errors?.map(({ path, extensions }) => [path?.at(-1), extensions.code])).toEqual([
    ['discount', 'FORBIDDEN'],
  ]);
});

test('a code of another business, and of the other mode, is unknown', async () => {
  const [shop, other] = [await newShop(api), await newShop(api)];
  for (const token of [other.business.live, shop.business.test]) {
    const { code } = await newDiscount(api, token);
    expect(await reasons(shop, { discountCode: code })).toEqual(['UNKNOWN_CODE discountCode']);
  }
});

test('erasing a customer takes the texts out of discounts that were for it alone, and archives them', async () => {
  const shop = await newShop(api);
  const { live } = shop.business;
  const other = await newCustomer(api, live);
  const about = { code: 'ERIKA-40', name: 'For Erika', description: 'Erika turns 40', metadata: { who: 'Erika' } };
  const own = await newDiscount(api, live, { ...about, eligibleCustomerIds: [shop.customerId] });
  const shared = await newDiscount(api, live, { code: 'SHARED', eligibleCustomerIds: [shop.customerId, other] });
  await bought(shop, { discountCode: own.code });
  const erase = `mutation ($input: EraseCustomerInput!) { eraseCustomer(input: $input) { userErrors { message } } }`;
  await api.data({ token: live, query: erase, variables: { input: { customerId: shop.customerId } } });
  const query = `query ($id: ID!) { discount(id: $id) { code name description metadata status usedCount version redemptions { nodes { amount { amount } } } } }`;
  const blank = await api.data({ token: live, query, variables: { id: own.id } });
  expect(blank.discount).toEqual({
    code: expect.stringMatching(/^[A-Z0-9]{5}-[A-Z0-9]{5}-[A-Z0-9]{5}$/),
    name: null,
    description: null,
    metadata: {},
    status: 'ARCHIVED',
    usedCount: 1,
    version: 2,
    redemptions: { nodes: [{ amount: { amount: '1.00' } }] },
  });
  expect((await api.data({ token: live, query, variables: { id: shared.id } })).discount).toMatchObject({
    code: 'SHARED',
    status: 'ACTIVE',
  });
  expect(JSON.stringify(await discountRows(api)).match(/erika/gi)).toBeNull();
  await api.data({ token: live, query: erase, variables: { input: { customerId: other } } });
  expect((await api.data({ token: live, query, variables: { id: shared.id } })).discount.status).toBe('ARCHIVED');
  expect(await refused(api, live, 'createDiscount', { percentBasisPoints: 1, eligibleCustomerIds: [other] })).toEqual([
    'CUSTOMER_ERASED input.eligibleCustomerIds.0',
  ]);
});
