import { afterEach, beforeAll, expect, test } from '@jest/globals';
import { useApi } from '../support/api.js';
import { newApiKey, newBusiness, newCustomer, newSession } from '../support/business.js';
import { newPackage, newProduct, newProductOffering } from '../support/catalog.js';
import { newDiscount, newDiscountCodes } from '../support/discounts.js';
import { expectInvariants } from '../support/invariants.js';
import { changesOf } from '../support/licenses.js';
import { callDiscount, discountFields, discountRows, done, refused, type DiscountMutation } from './discountCalls.js';

const api = useApi();
const now = '2026-12-01T12:00:00.000Z';

beforeAll(() => api.setNow(now));
afterEach(() => expectInvariants(api.db));

const usd = (amount: string) => ({ amount, currencyCode: 'USD' });
const generatedCode = /^[A-Z0-9]{5}-[A-Z0-9]{5}-[A-Z0-9]{5}$/;

test('createDiscount gives back every field that was given, and records it', async () => {
  const { live } = await newBusiness(api);
  const customerId = await newCustomer(api, live);
  const productId = await newProduct(api, live);
  const packageId = await newPackage(api, live);
  const productOfferingId = await newProductOffering(api, live);
  const { discount } = await done(api, live, 'createDiscount', {
    code: ' Winter-2026 ',
    name: ' Winter ',
    description: 'For\nthe cold',
    amounts: [{ amount: '500', currencyCode: 'JPY' }, { amount: '1.005', currencyCode: 'KWD' }, usd('5')],
    minimumSpends: [usd('20'), { amount: '3000', currencyCode: 'JPY' }],
    productIds: [productId, productId],
    packageIds: [packageId],
    productOfferingIds: [productOfferingId],
    eligibleCustomerIds: [customerId],
    startsAt: '2026-12-02',
    expiresAt: '2027-01-01',
    usageLimit: 10,
    usageLimitPerCustomer: 2,
    isCombinable: true,
    stackingOrder: -3,
    metadata: { campaign: 'winter' },
  });
  expect(discount).toEqual({
    id: expect.stringMatching(/^disc_[0-9a-hjkmnp-tv-z]{26}$/),
    code: 'Winter-2026',
    name: 'Winter',
    description: 'For\nthe cold',
    status: 'SCHEDULED',
    percentBasisPoints: null,
    amounts: [
      { amount: '500', currencyCode: 'JPY', minorUnits: '500' },
      { amount: '1.005', currencyCode: 'KWD', minorUnits: '1005' },
      { amount: '5.00', currencyCode: 'USD', minorUnits: '500' },
    ],
    minimumSpends: [
      { amount: '3000', currencyCode: 'JPY', minorUnits: '3000' },
      { amount: '20.00', currencyCode: 'USD', minorUnits: '2000' },
    ],
    products: [{ id: productId }],
    packages: [{ id: packageId }],
    productOfferings: [{ id: productOfferingId }],
    eligibleCustomers: [{ id: customerId }],
    startsAt: '2026-12-02T00:00:00.000Z',
    expiresAt: '2027-01-01T00:00:00.000Z',
    usageLimit: 10,
    usedCount: 0,
    usageLimitPerCustomer: 2,
    isCombinable: true,
    stackingOrder: -3,
    metadata: { campaign: 'winter' },
    testMode: false,
    archivedAt: null,
    version: 1,
    createdAt: now,
    updatedAt: now,
    codes: { nodes: [{ code: 'Winter-2026', isGenerated: false, usageLimit: null, usedCount: 0 }], totalCount: 1 },
    redemptions: { nodes: [], totalCount: 0 },
  });
  expect(await changesOf(api, discount.id)).toMatchObject([
    { type: 'discount.created', sequence: 1, snapshot: { code: 'Winter-2026', amountsMinor: { USD: '500' } } },
  ]);
  const { discount: plain } = await done(api, live, 'createDiscount', { code: ' ', percentBasisPoints: 1 });
  expect(plain).toMatchObject({
    code: expect.stringMatching(generatedCode),
    name: null,
    status: 'ACTIVE',
    percentBasisPoints: 1,
    amounts: [],
    minimumSpends: [],
    products: [],
    startsAt: null,
    usageLimit: null,
    isCombinable: false,
    stackingOrder: 0,
    metadata: {},
  });
  expect(
    (await done(api, live, 'createDiscount', { code: 'x'.repeat(64), percentBasisPoints: 10_000 })).discount.code,
  ).toHaveLength(64);
});

test('all problems are told at once, and nothing is written', async () => {
  const { live } = await newBusiness(api);
  const { id: discountId, code } = await newDiscount(api, live, { code: 'Taken-ΐß' });
  const other = await newDiscount(api, live, { startsAt: '2026-12-02', usageLimit: 5 });
  const before = await discountRows(api);
  const wrong = {
    name: 'x'.repeat(256),
    description: 'x'.repeat(2001),
    percentBasisPoints: 10_001,
    amounts: [usd('0'), usd('0.001'), usd('2147483648')],
    minimumSpends: [{ amount: '0.5', currencyCode: 'JPY' }, usd('-1')],
    usageLimit: 0,
    usageLimitPerCustomer: -1,
    stackingOrder: 1_000_001,
    metadata: { ['k'.repeat(41)]: 1 },
  };
  const all = [
    ...['name', 'description', 'percentBasisPoints', 'usageLimit', 'usageLimitPerCustomer', 'stackingOrder'],
    `metadata.${'k'.repeat(41)}`,
  ].map((place) => `INVALID_INPUT input.${place}`);
  const amounts = [
    'INVALID_AMOUNT input.amounts.0.amount',
    'INVALID_AMOUNT input.amounts.1.amount',
    'INVALID_INPUT input.amounts.1.currencyCode',
    'INVALID_AMOUNT input.amounts.2.amount',
    'INVALID_INPUT input.amounts.2.currencyCode',
    'INVALID_INPUT input.amounts',
    'INVALID_AMOUNT input.minimumSpends.0.amount',
    'INVALID_AMOUNT input.minimumSpends.1.amount',
  ];
  expect(await refused(api, live, 'createDiscount', { code: 'ab', ...wrong })).toEqual([
    'INVALID_INPUT input.code',
    ...all,
    ...amounts,
  ]);
  expect(await refused(api, live, 'updateDiscount', { discountId, ...wrong })).toEqual([...all, ...amounts]);
  const create = (input: object) => refused(api, live, 'createDiscount', input);
  const tenPercent = { percentBasisPoints: 1000 };
  expect(await create({})).toEqual(['INVALID_INPUT input.percentBasisPoints']);
  expect(await create({ amounts: [] })).toEqual(['INVALID_INPUT input.percentBasisPoints']);
  expect(await create({ ...tenPercent, code: 'x'.repeat(65) })).toEqual(['INVALID_INPUT input.code']);
  expect(await create({ amounts: [{ amount: '1', currencyCode: 'ABC' }] })).toEqual([
    'INVALID_CURRENCY input.amounts.0.currencyCode',
  ]);
  for (const window of [{ expiresAt: now }, { startsAt: '2027-01-01', expiresAt: '2027-01-01' }]) {
    expect(await create({ ...tenPercent, ...window })).toEqual(['INVALID_EXPIRY input.expiresAt']);
  }
  for (const same of [code, code.toUpperCase(), ` ${code.toLowerCase()} `, code.replace('ß', 'ss')]) {
    expect(await create({ ...tenPercent, code: same })).toEqual(['DISCOUNT_CODE_TAKEN input.code']);
  }
  const update = (input: object) => refused(api, live, 'updateDiscount', { discountId: other.id, ...input });
  expect(await update({ percentBasisPoints: null })).toEqual(['INVALID_INPUT input.percentBasisPoints']);
  expect(await update({ isCombinable: null, stackingOrder: null })).toEqual([
    'INVALID_INPUT input.isCombinable',
    'INVALID_INPUT input.stackingOrder',
  ]);
  expect(await update({ expiresAt: '2026-12-02' })).toEqual(['INVALID_EXPIRY input.expiresAt']);
  expect(await update({ expectedVersion: 2 })).toEqual(['STALE_OBJECT input.expectedVersion']);
  const generate = (input: object) => refused(api, live, 'generateDiscountCodes', { discountId, ...input });
  expect(await generate({ count: 0, usageLimit: 0 })).toEqual([
    'INVALID_INPUT input.count',
    'INVALID_INPUT input.usageLimit',
  ]);
  expect(await generate({ count: 10_001 })).toEqual(['INVALID_INPUT input.count']);
  expect(await discountRows(api)).toEqual(before);
});

test('updateDiscount leaves what is absent, clears what is null, replaces lists and merges metadata', async () => {
  const { live } = await newBusiness(api);
  const [first, second] = [await newProduct(api, live), await newProduct(api, live)];
  const { id: discountId, code } = await newDiscount(api, live, {
    name: 'Old',
    productIds: [first],
    usageLimit: 3,
    minimumSpends: [usd('5')],
    metadata: { a: 1, b: 2 },
  });
  const input = {
    discountId,
    expectedVersion: 1,
    name: null,
    amounts: [usd('2.50')],
    productIds: [second],
    usageLimit: null,
    stackingOrder: 4,
    metadata: { a: null, c: true },
  };
  const { discount } = await done(api, live, 'updateDiscount', input);
  expect(discount).toMatchObject({
    code,
    name: null,
    percentBasisPoints: null,
    amounts: [{ amount: '2.50' }],
    minimumSpends: [{ amount: '5.00' }],
    products: [{ id: second }],
    usageLimit: null,
    stackingOrder: 4,
    metadata: { b: 2, c: true },
    version: 2,
  });
  expect((await done(api, live, 'updateDiscount', { discountId, stackingOrder: 4 })).discount.version).toBe(2);
  const { discount: back } = await done(api, live, 'updateDiscount', {
    discountId,
    percentBasisPoints: 500,
    minimumSpends: null,
    productIds: [],
    expiresAt: '2026-11-01',
  });
  expect(back).toMatchObject({
    percentBasisPoints: 500,
    amounts: [],
    minimumSpends: [],
    products: [],
    status: 'EXPIRED',
  });
  expect((await changesOf(api, discountId))[1]).toMatchObject({
    type: 'discount.updated',
    sequence: 2,
    before: { name: 'Old', percentBasisPoints: 1000, amountsMinor: {}, usageLimit: 3 },
    after: { name: null, percentBasisPoints: null, amountsMinor: { USD: '250' }, usageLimit: null },
  });
});

test('archiveDiscount is for good, may be said again, and keeps the code', async () => {
  const { live } = await newBusiness(api);
  const { id: discountId } = await newDiscount(api, live, { code: 'GONE' });
  expect(await refused(api, live, 'archiveDiscount', { discountId, expectedVersion: 2 })).toEqual([
    'STALE_OBJECT input.expectedVersion',
  ]);
  const first = await done(api, live, 'archiveDiscount', { discountId, expectedVersion: 1 });
  expect(first.discount).toMatchObject({ status: 'ARCHIVED', archivedAt: now, version: 2 });
  expect(await done(api, live, 'archiveDiscount', { discountId, expectedVersion: 1 })).toEqual(first);
  const archived = ['DISCOUNT_ARCHIVED input.discountId'];
  expect(await refused(api, live, 'updateDiscount', { discountId, name: 'Back' })).toEqual(archived);
  expect(await refused(api, live, 'generateDiscountCodes', { discountId, count: 1 })).toEqual(archived);
  expect(await refused(api, live, 'createDiscount', { code: 'gone', percentBasisPoints: 1 })).toEqual([
    'DISCOUNT_CODE_TAKEN input.code',
  ]);
  expect((await changesOf(api, discountId)).map(({ type }) => type)).toEqual(['discount.created', 'discount.archived']);
});

test('generateDiscountCodes makes 10,000 codes in one call, for one change; each finds its discount', async () => {
  const { live } = await newBusiness(api);
  const { id: discountId, code } = await newDiscount(api, live);
  const call = { discountId, count: 10_000, idempotencyKey: 'ten thousand' };
  const made = await done(api, live, 'generateDiscountCodes', call);
  expect(new Set(made.codes).size).toBe(10_000);
  expect(made.codes.filter((text: string) => !generatedCode.test(text))).toEqual([]);
  expect(made.discount).toMatchObject({ version: 2, codes: { totalCount: 10_000 } });
  expect(made.discount.codes.nodes.slice(0, 2)).toEqual([
    { code, isGenerated: false, usageLimit: null, usedCount: 0 },
    { code: made.codes[0], isGenerated: true, usageLimit: 1, usedCount: 0 },
  ]);
  expect(await done(api, live, 'generateDiscountCodes', call)).toEqual(made);
  const [forAll] = await newDiscountCodes(api, live, discountId, 1, { usageLimit: null });
  const query = `query ($code: String, $codes: [String!]!) {
    discount(code: $code) { id codes(where: { code: { in: $codes } }) { nodes { code usageLimit discount { id } } } }
    discounts(where: { code: { in: $codes } }) { nodes { id } } }`;
  for (const [given, usageLimit] of [
    [made.codes[9_999], 1],
    [forAll, null],
  ]) {
    const variables = { code: ` ${given.toLowerCase()} `, codes: [given.toLowerCase()] };
    expect(await api.data({ token: live, query, variables })).toEqual({
      discount: { id: discountId, codes: { nodes: [{ code: given, usageLimit, discount: { id: discountId } }] } },
      discounts: { nodes: [{ id: discountId }] },
    });
  }
  expect((await changesOf(api, discountId)).map(({ type, sequence }) => `${sequence} ${type}`)).toEqual([
    '1 discount.created',
    '2 discount.codes_generated',
    '3 discount.codes_generated',
  ]);
  const [count] = await api.db.sql<{ n: number }>(
    null,
    'SELECT count(*)::int AS n FROM discount_codes WHERE discount_id = (SELECT discount_id FROM discount_codes WHERE code = $1)',
    [forAll],
  );
  expect(count?.n).toBe(10_002);
});

test('discounts are searched, filtered, ordered and paged; archived ones only when asked for', async () => {
  const { live } = await newBusiness(api);
  const customerId = await newCustomer(api, live);
  const make = async (code: string, fields = {}) => (await newDiscount(api, live, { code, ...fields })).id;
  const open = await make('beta-100%', { name: 'Open', eligibleCustomerIds: [customerId], metadata: { i: 1 } });
  await make('Alpha', { startsAt: '2026-12-02', expiresAt: '2027-02-01' });
  const ended = await make('Gamma', { name: 'Ended' });
  await done(api, live, 'updateDiscount', { discountId: ended, expiresAt: now });
  const gone = await make('Delta');
  await done(api, live, 'archiveDiscount', { discountId: gone });
  const codes = async (args: string) => {
    const { discounts } = await api.data({
      token: live,
      query: `{ discounts(${args}) { nodes { code } totalCount } }`,
    });
    expect(discounts.totalCount).toBe(discounts.nodes.length);
    return discounts.nodes.map(({ code }: { code: string }) => code);
  };
  expect(await codes('first: 20')).toEqual(['Gamma', 'Alpha', 'beta-100%']);
  expect(await codes('orderBy: { field: CODE, direction: ASC }')).toEqual(['Alpha', 'beta-100%', 'Gamma']);
  expect(await codes('orderBy: { field: EXPIRES_AT, direction: ASC }')).toEqual(['Gamma', 'Alpha', 'beta-100%']);
  expect(await codes('search: "OPE"')).toEqual(['beta-100%']);
  expect(await codes('search: "0%"')).toEqual(['beta-100%']);
  expect(await codes('where: { status: { in: [ARCHIVED, SCHEDULED] } }')).toEqual(['Delta', 'Alpha']);
  expect(await codes('where: { status: { in: [ACTIVE] } }')).toEqual(['beta-100%']);
  expect(await codes('where: { status: { in: [EXPIRED, USED_UP] } }')).toEqual(['Gamma']);
  expect(await codes(`where: { eligibleCustomerId: { in: ["${customerId}"] } }`)).toEqual(['beta-100%']);
  expect(await codes('where: { metadata: { key: "i", eq: "1" } }')).toEqual(['beta-100%']);
  expect(await codes(`where: { id: { in: ["${open}", "${ended}"] }, createdAt: { lt: "2027-01-01" } }`)).toEqual([
    'Gamma',
    'beta-100%',
  ]);
  expect(await codes('where: { createdAt: { lt: "2026-01-01" } }')).toEqual([]);
  for (const args of ['', '(id: "x", code: "x")']) {
    const answer = await api.call({ token: live, query: `{ discount${args} { id } }` });
    expect(answer.errors?.[0]?.extensions).toMatchObject({ code: 'BAD_USER_INPUT', argument: 'id' });
  }
  const indexed = await api.db.sql<{ indexdef: string }>(
    null,
    "SELECT indexdef FROM pg_indexes WHERE tablename = 'discounts'",
    [],
  );
  const columns = indexed.map(({ indexdef }) => indexdef.replace(/^.* USING btree /, ''));
  const expires = "COALESCE(expires_at, 'infinity'::timestamp with time zone)";
  for (const by of ['created_at', 'sort_code', expires]) expect(columns).toContain(`(business_id, mode, ${by}, id)`);
});

test('races: one of many with one code, of many updates of one version one, and no code for what is archived', async () => {
  const { live } = await newBusiness(api);
  const made = await Promise.all(
    Array.from({ length: 12 }, (_, i) =>
      callDiscount(api, live, 'createDiscount', { code: i % 2 ? 'once' : 'ONCE', percentBasisPoints: 1 }),
    ),
  );
  const winners = made.flatMap(({ data }) => data.createDiscount.discount ?? []);
  expect(winners).toHaveLength(1);
  const discountId = winners[0].id as string;
  const updates = await Promise.all(
    Array.from({ length: 8 }, (_, i) =>
      callDiscount(api, live, 'updateDiscount', { discountId, expectedVersion: 1, name: `No ${i}` }),
    ),
  );
  expect(updates.filter(({ data }) => data.updateDiscount.discount)).toHaveLength(1);
  const answers = await Promise.all([
    ...Array.from({ length: 6 }, () => callDiscount(api, live, 'generateDiscountCodes', { discountId, count: 5 })),
    ...Array.from({ length: 3 }, () => callDiscount(api, live, 'archiveDiscount', { discountId })),
  ]);
  expect(answers.flatMap(({ errors }) => errors ?? [])).toEqual([]);
  const batches = answers.filter(({ data }) => data.generateDiscountCodes?.codes).length;
  const types = (await changesOf(api, discountId)).map(({ type }) => type);
  expect(types).toEqual([
    'discount.created',
    'discount.updated',
    ...Array<string>(batches).fill('discount.codes_generated'),
    'discount.archived',
  ]);
  const { discount } = await api.data({
    token: live,
    query: `{ discount(id: "${discountId}") { codes { totalCount } } }`,
  });
  expect(discount.codes.totalCount).toBe(1 + 5 * batches);
});

test("another tenant's discount answers as an unknown one, one of the other mode is a mismatch, and so is what it names", async () => {
  const [mine, theirs] = [await newBusiness(api), await newBusiness(api)];
  const { id: discountId, code } = await newDiscount(api, theirs.live, { code: 'THEIRS' });
  const product = await newProduct(api, theirs.live);
  const customer = await newCustomer(api, theirs.live);
  const other = await newCustomer(api, mine.test);
  const before = await discountRows(api);
  const inputs: [DiscountMutation, object][] = [
    ['updateDiscount', { name: 'Mine' }],
    ['archiveDiscount', {}],
    ['generateDiscountCodes', { count: 1 }],
  ];
  for (const [name, input] of inputs) {
    for (const id of [discountId, 'disc_nonsense', customer]) {
      expect(await refused(api, mine.live, name, { discountId: id, ...input })).toEqual([
        'DISCOUNT_NOT_FOUND input.discountId',
      ]);
    }
    expect(await refused(api, theirs.test, name, { discountId, ...input })).toEqual(['MODE_MISMATCH input.discountId']);
  }
  const names = { productIds: [product, 'x'], packageIds: [product], productOfferingIds: [product] };
  const unknown = ['PRODUCT_NOT_FOUND input.productIds.0', 'PRODUCT_NOT_FOUND input.productIds.1'];
  const create = (input: object, headers = {}) =>
    refused(api, mine.live, 'createDiscount', { percentBasisPoints: 1, ...input }, headers);
  expect(await create(names)).toEqual([
    ...unknown,
    'PACKAGE_NOT_FOUND input.packageIds.0',
    'PRODUCT_OFFERING_NOT_FOUND input.productOfferingIds.0',
  ]);
  expect(await create({ eligibleCustomerIds: [customer] })).toEqual(['CUSTOMER_NOT_FOUND input.eligibleCustomerIds.0']);
  expect(await create({ eligibleCustomerIds: [other] })).toEqual(['MODE_MISMATCH input.eligibleCustomerIds.0']);
  const read = `{ discount(id: "${discountId}") { id } byCode: discount(code: "${code}") { id } }`;
  for (const token of [mine.live, theirs.test]) {
    expect(await api.data({ token, query: read })).toEqual({ discount: null, byCode: null });
  }
  expect(await discountRows(api)).toEqual(before);
  // The same code is free for another business, and for the other mode.
  for (const token of [mine.live, theirs.test])
    expect((await newDiscount(api, token, { code: 'theirs' })).code).toBe('theirs');
  const url = 'other.discounts.example';
  const brand = `mutation { createBrand(input: { name: "Other", url: "${url}" }) { userErrors { code } } }`;
  await api.data({ token: mine.live, query: brand });
  const named = { eligibleCustomerIds: [await newCustomer(api, mine.live)] };
  expect(await create(named, { 'brand-url': url })).toEqual(['BRAND_MISMATCH input.eligibleCustomerIds.0']);
  expect(await create({ packageIds: [await newPackage(api, mine.live)] }, { 'brand-url': url })).toEqual([
    'BRAND_MISMATCH input.packageIds.0',
  ]);
});

test('the database itself refuses what a discount cannot be, and limits to what its business does not have', async () => {
  const [mine, theirs] = [await newBusiness(api), await newBusiness(api)];
  await newDiscount(api, mine.live, { code: 'GUARDED' });
  await newProduct(api, theirs.live);
  const steal = `UPDATE discounts SET product_ids = (SELECT array_agg(id) FROM products) WHERE code = 'GUARDED'`;
  await expect(api.db.sql(null, steal, [])).rejects.toThrow('limited to something that its business does not have');
  const guards: [string, string][] = [
    ['usage_limit = 3, used_count = 4', 'discounts_used'],
    ['percent_basis_points = 10001', 'discounts_percent'],
    ['percent_basis_points = NULL', 'discounts_kind'],
    [`amounts_minor = '{"USD": "1"}'`, 'discounts_kind'],
    ['starts_at = $1, expires_at = $1', 'discounts_window'],
  ];
  for (const [change, constraint] of guards) {
    const text = `UPDATE discounts SET ${change} WHERE code = 'GUARDED'`;
    await expect(api.db.sql(null, text, change.includes('$1') ? [now] : [])).rejects.toThrow(constraint);
  }
});

test('it takes DISCOUNTS_WRITE to change and DISCOUNTS_READ to read; sessions do neither', async () => {
  const { live } = await newBusiness(api);
  const { id: discountId } = await newDiscount(api, live);
  const session = await newSession(api, live, await newCustomer(api, live));
  const [reader, writer] = [
    await newApiKey(api, live, ['DISCOUNTS_READ']),
    await newApiKey(api, live, ['DISCOUNTS_WRITE']),
  ];
  const inputs: [DiscountMutation, object][] = [
    ['createDiscount', { percentBasisPoints: 1 }],
    ['updateDiscount', { discountId, name: 'X' }],
    ['archiveDiscount', { discountId }],
    ['generateDiscountCodes', { discountId, count: 1 }],
  ];
  const before = await discountRows(api);
  for (const [name, input] of inputs) {
    const codes = [];
    for (const token of [reader, session, null]) {
      codes.push((await callDiscount(api, token, name, input)).errors?.[0]?.extensions.code);
    }
    expect(codes).toEqual(['FORBIDDEN', 'FORBIDDEN', 'UNAUTHENTICATED']);
  }
  const query = `query ($id: ID) { discount(id: $id) { ${discountFields} } }`;
  for (const token of [writer, session]) {
    const answer = await api.call({ token, query, variables: { id: discountId } });
    expect(answer.errors?.[0]?.extensions.code).toBe('FORBIDDEN');
  }
  const seen = await api.call({ token: reader, query, variables: { id: discountId } });
  expect([seen.data.discount.id, seen.data.discount.eligibleCustomers]).toEqual([discountId, null]);
  expect(seen.errors?.map(({ path }) => path?.at(-1))).toEqual(['eligibleCustomers']);
  expect(await discountRows(api)).toEqual(before);
});
