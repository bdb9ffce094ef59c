import { beforeAll, expect, test } from '@jest/globals';
import { useApi } from '../support/api.js';
import { newApiKey, newBusiness, newCustomer, newSession, type TestBusiness } from '../support/business.js';
import { newProduct } from '../support/catalog.js';
import { newDiscount, newDiscountCodes } from '../support/discounts.js';
import { expectInvariants } from '../support/invariants.js';
import { changesOf } from '../support/licenses.js';
import { callPricing, closePeriodsAt, newPricingRule, quote, statementsOf } from '../support/pricing.js';
import { callProductKey, newProductKey, productKeyInput } from '../support/productKeys.js';

const api = useApi();
let business: TestBusiness;
let productId: string;

const now = '2026-03-01T10:00:00.000Z';
const day = (n: number) => new Date(Date.parse(now) + n * 86_400_000).toISOString();

beforeAll(async () => {
  api.setNow(now);
  business = await newBusiness(api);
  productId = await newProduct(api, business.live, { quotaPeriod: 'DAY', overQuota: 'METER' });
});

type Fields = Record<string, unknown>;

const rule = (amount = '10', fields: Fields = {}) =>
  newPricingRule(api, business.live, { model: 'FLAT', amount, ...fields });
const keyOf = async (fields: Fields = {}) => newProductKey(api, business.live, { productIds: [productId], ...fields });

const charges = `id version pricingRules { attachedAt detachedAt pricingRule { id version } terms { version name amount { amount } } }
  discounts { redemptionId redemption { id } percentBasisPoints amounts { amount } minimumSpends { amount } stackingOrder attachedAt detachedAt }`;
const selection = `productKey { ${charges} }`;

const call = (name: string, input: Fields, { token = business.live, headers = {}, more = '' } = {}) =>
  callPricing(api, token, name, input, `${selection} ${more}`, headers);
const told = ({ userErrors }: any) =>
  userErrors.map(({ code, path, reason }: any) => `${code} ${path.slice(1).join('.')}${reason ? ` ${reason}` : ''}`);
const attached = ({ productKey }: any) =>
  productKey.pricingRules.map(({ terms }: any) => `${terms.amount.amount} v${terms.version}`);
const typesOf = async (id: string) => (await changesOf(api, id)).map(({ type }) => type.replace('product_key.', ''));

async function rowCounts(): Promise<unknown> {
  return api.db.sql(
    null,
    `SELECT (SELECT count(*) FROM product_key_pricing_rules) AS rules, (SELECT count(*) FROM product_key_discounts) AS discounts,
      (SELECT count(*) FROM discount_redemptions) AS redemptions, (SELECT count(*) FROM changes) AS changes,
      (SELECT count(*) FROM product_keys) AS keys, (SELECT sum(used_count) FROM discounts) AS used`,
    [],
  );
}

test('rules are attached to a new key, at their versions, each once; what is wrong with one names it, and makes no key', async () => {
  const [first, second] = [await rule('1'), await rule('2')];
  await callPricing(
    api,
    business.live,
    'updatePricingRule',
    { pricingRuleId: first, amount: '3' },
    'pricingRule { id }',
  );
  const id = await keyOf({ pricingRuleIds: [second, first, second] });
  const { productKey } = await api.data({
    token: business.live,
    query: `query ($id: ID!) { productKey(id: $id) { ${charges} } }`,
    variables: { id },
  });
  expect(productKey.pricingRules).toEqual(
    [
      [second, '2.00', 1],
      [first, '3.00', 2],
    ].map(([ruleId, amount, version]) => ({
      attachedAt: now,
      detachedAt: null,
      pricingRule: { id: ruleId, version },
      terms: { version, name: 'Plan', amount: { amount } },
    })),
  );
  const archived = await rule();
  await callPricing(api, business.live, 'archivePricingRule', { pricingRuleId: archived }, 'pricingRule { id }');
  const ids = [
    first,
    archived,
    await newPricingRule(api, business.test),
    await newPricingRule(api, (await newBusiness(api)).live),
    await rule('5', { currencyCode: 'EUR' }),
    'nothing',
  ];
  const before = await rowCounts();
  const input = await productKeyInput(api, business.live, { productIds: [productId], pricingRuleIds: ids });
  const refused = await callProductKey(api, business.live, 'createProductKey', input);
  expect(told(refused)).toEqual([
    'PRICING_RULE_ARCHIVED pricingRuleIds.1',
    'MODE_MISMATCH pricingRuleIds.2',
    'PRICING_RULE_NOT_FOUND pricingRuleIds.3',
    'PRICING_RULE_NOT_FOUND pricingRuleIds.5',
    'CURRENCY_MISMATCH pricingRuleIds.4',
  ]);
  expect(await rowCounts()).toEqual(before);
});

test('attachPricingRule takes the newest version in place of an older one, detachPricingRule none; the history keeps all', async () => {
  const [first, second] = [await rule('1'), await rule('2')];
  const id = await keyOf({ pricingRuleIds: [first] });
  const on = (pricingRuleId: string) => ({ productKeyId: id, pricingRuleId });
  expect(attached(await call('attachPricingRule', on(second)))).toEqual(['1.00 v1', '2.00 v1']);
  await callPricing(
    api,
    business.live,
    'updatePricingRule',
    { pricingRuleId: first, amount: '3' },
    'pricingRule { id }',
  );
  expect((await quote(api, business.live, { productKeyId: id, units: 0 })).total.amount).toBe('3.00');
  const { version } = (await call('attachPricingRule', on(second))).productKey;
  api.setNow(day(0.5));
  const newer = await call('attachPricingRule', { ...on(first), expectedVersion: version });
  expect([attached(newer), newer.productKey.version]).toEqual([['2.00 v1', '3.00 v2'], version + 1]);
  expect(attached(await call('detachPricingRule', on(second)))).toEqual(['3.00 v2']);
  expect((await call('detachPricingRule', on(second))).productKey.version).toBe(version + 2);
  const { productKey } = await api.data({
    token: business.live,
    query: `query ($id: ID!) { productKey(id: $id) { pricingRuleHistory { attachedAt detachedAt terms { amount { amount } } } } }`,
    variables: { id },
  });
  expect(
    productKey.pricingRuleHistory.map((one: any) => [one.terms.amount.amount, one.attachedAt, one.detachedAt]),
  ).toEqual([
    ['3.00', day(0.5), null],
    ['2.00', now, day(0.5)],
    ['1.00', now, day(0.5)],
  ]);
  const types = ['created', 'pricing_rule_attached', 'pricing_rule_attached', 'pricing_rule_detached'];
  expect(await typesOf(id)).toEqual(types);
  expect((await changesOf(api, id)).at(-2)).toMatchObject({
    before: { pricingRuleVersion: 1 },
    after: { pricingRuleVersion: 2 },
  });
  api.setNow(now);
});

test('a discount lowers each statement from the one that it comes in to the one before it is taken away, as it was redeemed', async () => {
  const [half, fixed] = [
    await newDiscount(api, business.live, {
      percentBasisPoints: 5000,
      isCombinable: true,
      usageLimit: 5,
      stackingOrder: 2,
    }),
    await newDiscount(api, business.live, {
      amounts: [{ amount: '0.01', currencyCode: 'USD' }],
      minimumSpends: [{ amount: '10', currencyCode: 'USD' }],
      isCombinable: true,
      productIds: [productId],
    }),
  ];
  const id = await keyOf({ pricingRuleIds: [await rule('9.99'), await rule('0.01')] });
  const on = (discountCode: string) => ({ productKeyId: id, discountCode });
  const applied = await call('applyDiscountToProductKey', on(half.code), {
    more: 'redemption { id position amount { amount } customer { id } order { id } productKey { id } discount { usedCount } }',
  });
  expect(applied.redemption).toEqual({
    id: expect.stringMatching(/^dred_/),
    position: 1,
    amount: null,
    customer: { id: expect.any(String) },
    order: null,
    productKey: { id },
    discount: { usedCount: 1 },
  });
  await call('applyDiscountToProductKey', on(fixed.code.toLowerCase()));
  // What becomes of the discount is nothing to who has redeemed it.
  const change =
    'mutation ($id: ID!) { updateDiscount(input: { discountId: $id, percentBasisPoints: 1 }) { userErrors { code } } archiveDiscount(input: { discountId: $id }) { userErrors { code } } }';
  await api.data({ token: business.live, query: change, variables: { id: half.id } });
  const { productKey } = await api.data({
    token: business.live,
    query: `query ($id: ID!) { productKey(id: $id) { ${charges} } }`,
    variables: { id },
  });
  expect(
    productKey.discounts.map((one: any) => [one.percentBasisPoints, one.amounts, one.minimumSpends, one.stackingOrder]),
  ).toEqual([
    [null, [{ amount: '0.01' }], [{ amount: '10.00' }], 0],
    [5000, [], [], 2],
  ]);
  await closePeriodsAt(api, day(1));
  api.setNow(day(1));
  const redemptionId = applied.redemption.id;
  const removed = await call('removeDiscountFromProductKey', { productKeyId: id, redemptionId });
  expect(removed.productKey.discounts).toHaveLength(1);
  const again = await call('removeDiscountFromProductKey', { productKeyId: id, redemptionId });
  expect(again.productKey).toEqual(removed.productKey);
  await closePeriodsAt(api, day(2));
  const statements = await statementsOf(api, business.live, id);
  const usd = (amount: string) => ({ amount, currencyCode: 'USD' });
  expect(
    statements.map(({ subtotal, discounts, discountTotal, total }) => ({ subtotal, discounts, discountTotal, total })),
  ).toEqual([
    {
      subtotal: usd('10.00'),
      discounts: [
        { amount: usd('0.01'), remaining: usd('9.99') },
        { amount: usd('4.99'), remaining: usd('5.00') },
      ],
      discountTotal: usd('5.00'),
      total: usd('5.00'),
    },
    {
      subtotal: usd('10.00'),
      discounts: [{ amount: usd('0.01'), remaining: usd('9.99') }],
      discountTotal: usd('0.01'),
      total: usd('9.99'),
    },
  ]);
  expect((await typesOf(id)).filter((type) => type.startsWith('discount'))).toEqual([
    'discount_applied',
    'discount_applied',
    'discount_removed',
  ]);
  const { discount } = await api.data({
    token: business.live,
    query: 'query ($id: ID!) { discount(id: $id) { usedCount redemptions { nodes { id productKey { id } } } } }',
    variables: { id: half.id },
  });
  expect(discount).toEqual({ usedCount: 1, redemptions: { nodes: [{ id: redemptionId, productKey: { id } }] } });
  api.setNow(now);
});

test('each refusal says why and changes nothing', async () => {
  const pricing = await rule();
  const euro = await rule('5', { currencyCode: 'EUR' });
  const archived = await rule();
  await callPricing(api, business.live, 'archivePricingRule', { pricingRuleId: archived }, 'pricingRule { id }');
  const owner = await newCustomer(api, business.live);
  const id = await keyOf({ pricingRuleIds: [pricing], owner });
  const full = await keyOf({ pricingRuleIds: await Promise.all(Array.from({ length: 50 }, () => rule('1'))) });
  const ended = await keyOf({ allowMidPeriodCancellation: true, start: day(-0.5) });
  await callProductKey(api, business.live, 'cancelProductKey', { productKeyId: ended, at: 'NOW' });
  const elsewhere = await newProductKey(api, business.test);
  const foreign = await newProductKey(api, (await newBusiness(api)).live);
  const discountOf = async (fields: Fields = {}) => (await newDiscount(api, business.live, fields)).code;
  const { id: oldId, code: old } = await newDiscount(api, business.live);
  await api.data({
    token: business.live,
    query: 'mutation ($id: ID!) { archiveDiscount(input: { discountId: $id }) { userErrors { code } } }',
    variables: { id: oldId },
  });
  const alone = await discountOf();
  await call('applyDiscountToProductKey', { productKeyId: id, discountCode: alone });
  const once = await discountOf({ usageLimitPerCustomer: 1, isCombinable: true });
  await call('applyDiscountToProductKey', { productKeyId: await keyOf({ owner }), discountCode: once });
  await api.data({
    token: business.live,
    query: 'mutation { createBrand(input: { name: "Other", url: "charges-other.example.com" }) { brand { id } } }',
  });
  const free = await keyOf({ pricingRuleIds: [pricing], owner });
  const other = { 'brand-url': 'charges-other.example.com' };
  const code = (discountCode: string, productKeyId = free) => ({ productKeyId, discountCode });
  const notApplicable = (reason: string) => `DISCOUNT_NOT_APPLICABLE discountCode ${reason}`;
  const common: [Fields, string, Fields?][] = [
    [{ productKeyId: foreign }, 'PRODUCT_KEY_NOT_FOUND productKeyId'],
    [{ productKeyId: elsewhere }, 'MODE_MISMATCH productKeyId'],
    [{ productKeyId: ended }, 'PRODUCT_KEY_ENDED productKeyId'],
    [{ productKeyId: id, expectedVersion: 99 }, 'STALE_OBJECT expectedVersion'],
    [{ productKeyId: id }, 'BRAND_MISMATCH productKeyId', other],
  ];
  const cases: [string, Fields, string, Fields?][] = [
    ...common.flatMap(([input, refusal, headers]): [string, Fields, string, Fields?][] => [
      ['attachPricingRule', { ...input, pricingRuleId: pricing }, refusal, headers],
      ['detachPricingRule', { ...input, pricingRuleId: pricing }, refusal, headers],
      ['applyDiscountToProductKey', { ...input, discountCode: once }, refusal, headers],
      ['removeDiscountFromProductKey', { ...input, redemptionId: 'nothing' }, refusal, headers],
    ]),
    ['attachPricingRule', { productKeyId: id, pricingRuleId: euro }, 'CURRENCY_MISMATCH pricingRuleId'],
    ['attachPricingRule', { productKeyId: id, pricingRuleId: archived }, 'PRICING_RULE_ARCHIVED pricingRuleId'],
    ['attachPricingRule', { productKeyId: full, pricingRuleId: pricing }, 'INVALID_INPUT pricingRuleId'],
    ['attachPricingRule', { productKeyId: id, pricingRuleId: 'nothing' }, 'PRICING_RULE_NOT_FOUND pricingRuleId'],
    [
      'detachPricingRule',
      { productKeyId: id, pricingRuleId: await newPricingRule(api, business.test) },
      'MODE_MISMATCH pricingRuleId',
    ],
    [
      'removeDiscountFromProductKey',
      { productKeyId: free, redemptionId: 'nothing' },
      'DISCOUNT_REDEMPTION_NOT_FOUND redemptionId',
    ],
    ['applyDiscountToProductKey', code('NOBODY-KNOWS'), notApplicable('UNKNOWN_CODE')],
    ['applyDiscountToProductKey', code(old), notApplicable('ARCHIVED')],
    ['applyDiscountToProductKey', code(alone, id), notApplicable('GIVEN_TWICE')],
    ['applyDiscountToProductKey', code(once, id), notApplicable('NOT_COMBINABLE')],
    ['applyDiscountToProductKey', code(once), notApplicable('CUSTOMER_LIMIT_REACHED')],
    ['applyDiscountToProductKey', code(await discountOf({ startsAt: day(1) })), notApplicable('NOT_STARTED')],
    [
      'applyDiscountToProductKey',
      code(await discountOf({ productIds: [await newProduct(api, business.live)] })),
      notApplicable('NOT_FOR_THIS'),
    ],
    [
      'applyDiscountToProductKey',
      code(await discountOf({ amounts: [{ amount: '1', currencyCode: 'EUR' }] })),
      notApplicable('CURRENCY_NOT_COVERED'),
    ],
    [
      'applyDiscountToProductKey',
      code(await discountOf({ eligibleCustomerIds: [await newCustomer(api, business.live)] })),
      notApplicable('CUSTOMER_NOT_ELIGIBLE'),
    ],
  ];
  const made = await rowCounts();
  for (const [name, input, refusal, headers] of cases) {
    const { productKey, userErrors } = await call(name, input, { headers: headers ?? {} });
    expect([name, input, productKey, told({ userErrors })]).toEqual([name, input, null, [refusal]]);
  }
  expect(await rowCounts()).toEqual(made);
});

test('a limit is exact whoever redeems: purchases by code, many keys at once; one key takes a discount once', async () => {
  const discount = await newDiscount(api, business.live, { usageLimit: 3, isCombinable: true });
  const [shared] = await newDiscountCodes(api, business.live, discount.id, 1, { usageLimit: 2 });
  const keys = await Promise.all(Array.from({ length: 6 }, () => keyOf()));
  const apply = (productKeyId: string, discountCode: string) =>
    call('applyDiscountToProductKey', { productKeyId, discountCode });
  const answers = await Promise.all(keys.map((id) => apply(id, shared as string)));
  expect(answers.flatMap(told)).toEqual(Array(4).fill('DISCOUNT_NOT_APPLICABLE discountCode CODE_USED_UP'));
  const rest = keys.filter((_, i) => told(answers[i]).length > 0);
  const [one, two] = await Promise.all([
    apply(rest[0] as string, discount.code),
    apply(rest[0] as string, discount.code),
  ]);
  expect([...told(one), ...told(two)]).toEqual(['DISCOUNT_NOT_APPLICABLE discountCode GIVEN_TWICE']);
  expect(told(await apply(rest[1] as string, discount.code))).toEqual(['DISCOUNT_NOT_APPLICABLE discountCode USED_UP']);
  const [{ used, redeemed }] = (await api.db.sql(
    null,
    `SELECT d.used_count AS used, (SELECT count(*)::int FROM discount_redemptions r WHERE r.discount_id = d.id) AS redeemed
      FROM discounts d WHERE d.code = $1`,
    [discount.code],
  )) as [any];
  expect([used, redeemed]).toEqual([3, 3]);
  // A limit that comes later counts what was redeemed for product keys, too.
  const free = await newDiscount(api, business.live, { isCombinable: true });
  await Promise.all(keys.slice(0, 2).map((id) => apply(id, free.code)));
  const limited = await api.call({
    token: business.live,
    query:
      'mutation ($id: ID!) { updateDiscount(input: { discountId: $id, usageLimit: 2 }) { discount { usedCount status } userErrors { code } } }',
    variables: { id: free.id },
  });
  expect(limited.data.updateDiscount).toEqual({ discount: { usedCount: 2, status: 'USED_UP' }, userErrors: [] });
});

test('of many at once that attach and detach, each is one version; the same key replays', async () => {
  const pricing = await rule('1');
  const id = await keyOf();
  const input = { productKeyId: id, pricingRuleId: pricing };
  await Promise.all(Array.from({ length: 10 }, () => call('attachPricingRule', input)));
  expect(await typesOf(id)).toEqual(['created', 'pricing_rule_attached']);
  await Promise.all(Array.from({ length: 10 }, () => call('detachPricingRule', input)));
  const discount = await newDiscount(api, business.live);
  const keyed = { productKeyId: id, discountCode: discount.code, idempotencyKey: 'k' };
  const [a, b] = [await call('applyDiscountToProductKey', keyed), await call('applyDiscountToProductKey', keyed)];
  expect([told(b), b.productKey.discounts]).toEqual([[], a.productKey.discounts]);
  const redemptionId = a.productKey.discounts[0].redemption.id;
  await Promise.all(
    Array.from({ length: 5 }, () => call('removeDiscountFromProductKey', { productKeyId: id, redemptionId })),
  );
  expect((await typesOf(id)).slice(2)).toEqual(['pricing_rule_detached', 'discount_applied', 'discount_removed']);
});

test('only an API key with the scope attaches; a session reads what its own key costs, and quotes it alone', async () => {
  const pricing = await rule('1', { description: 'Internal' });
  const owner = await newCustomer(api, business.live);
  const id = await keyOf({ owner, pricingRuleIds: [pricing], quota: 5 });
  const session = await newSession(api, business.live, owner);
  const reader = await newApiKey(api, business.live, ['PRODUCT_KEYS_READ']);
  for (const token of [session, reader]) {
    for (const [name, input] of [
      ['attachPricingRule', { productKeyId: id, pricingRuleId: pricing }],
      ['detachPricingRule', { productKeyId: id, pricingRuleId: pricing }],
      ['applyDiscountToProductKey', { productKeyId: id, discountCode: 'x' }],
      ['removeDiscountFromProductKey', { productKeyId: id, redemptionId: 'x' }],
    ] as const) {
      await expect(callPricing(api, token, name, input, 'productKey { id }')).rejects.toThrow(/FORBIDDEN/);
    }
  }
  const mine = await quote(api, session, { productKeyId: id, units: 7 });
  expect([mine.usage, mine.overage, mine.total.amount]).toEqual(['7', '2', '1.00']);
  expect(await quote(api, session, { pricingRuleIds: [pricing], units: 7 })).toMatchObject([
    { code: 'PRICING_RULE_NOT_FOUND' },
  ]);
  const stranger = await newSession(api, business.live, await newCustomer(api, business.live));
  expect(await quote(api, stranger, { productKeyId: id, units: 7 })).toMatchObject([{ code: 'PRODUCT_KEY_NOT_FOUND' }]);
  expect(await quote(api, business.test, { productKeyId: id, units: 7 })).toMatchObject([{ code: 'MODE_MISMATCH' }]);
});

test('a quote by rules alone, with a quota of its own; or of a key by other rules', async () => {
  const over = await rule('0', { model: 'PER_UNIT', amount: undefined, unitPrice: '0.333', appliesTo: 'OVERAGE' });
  const flat = await rule('2');
  const byRules = await quote(api, business.live, { pricingRuleIds: [flat, over], units: 13, quota: 10 });
  expect([
    byRules.periodStart,
    byRules.overage,
    byRules.lines.map((line: any) => line.exactAmount),
    byRules.total.amount,
  ]).toEqual([null, '3', ['2', '0.999'], '3.00']);
  const id = await keyOf({ pricingRuleIds: [flat], quota: 10, consumedQuota: 9 });
  const other = await quote(api, business.live, { productKeyId: id, pricingRuleIds: [over], units: 2 });
  expect([other.usage, other.periodStart, other.total.amount]).toEqual(['11', now, '0.33']);
  const refused = async (input: Fields) =>
    (await quote(api, business.live, input)).map(({ code, path }: any) => `${code} ${path.slice(1).join('.')}`);
  expect(await refused({ units: -1 })).toEqual(['INVALID_INPUT units', 'INVALID_INPUT productKeyId']);
  expect(await refused({ units: 1, productKeyId: id, quota: 1 })).toEqual(['INVALID_INPUT quota']);
  expect(await refused({ units: 1, pricingRuleIds: [flat, await rule('1', { currencyCode: 'EUR' })] })).toEqual([
    'CURRENCY_MISMATCH pricingRuleIds.1',
  ]);
  expect(await refused({ units: 1, productKeyId: 'nothing' })).toEqual(['PRODUCT_KEY_NOT_FOUND productKeyId']);
});

test('after all that, every statement is what its parts come to, every limit is exact', async () => {
  await expectInvariants(api.db);
});
