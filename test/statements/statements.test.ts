import { beforeAll, expect, test } from '@jest/globals';
import { useApi } from '../support/api.js';
import { newApiKey, newBusiness, newCustomer, newSession, type TestBusiness } from '../support/business.js';
import { newProduct } from '../support/catalog.js';
import { expectInvariants } from '../support/invariants.js';
import { changesOf, rowId } from '../support/licenses.js';
import {
  applyDueEventsAt,
  callPricing,
  closePeriodsAt,
  newPricingRule,
  quote,
  statementsOf,
} from '../support/pricing.js';
import { callProductKey, newProductKey } from '../support/productKeys.js';
import { callSla, newSlaDefinition } from '../support/sla.js';
import { callUsage, countWrites } from '../support/usage.js';

const api = useApi();
let business: TestBusiness;

const start = '2026-03-01T00:00:00.000Z';
const day = (n: number, ms = 0) => new Date(Date.parse(start) + n * 86_400_000 + ms).toISOString();

beforeAll(async () => {
  api.setNow(start);
  business = await newBusiness(api);
});

type Fields = Record<string, unknown>;

/** A key whose periods are days from the start on, beyond its quota of 10 metered, at 1.00 USD a day and 0.10 beyond. */
async function dailyKey(fields: Fields = {}, product: Fields = {}): Promise<string> {
  api.setNow(start);
  const productIds = [await newProduct(api, business.live, { quotaPeriod: 'DAY', overQuota: 'METER', ...product })];
  const pricingRuleIds = [
    await newPricingRule(api, business.live, { amount: '1', model: 'FLAT' }),
    await newPricingRule(api, business.live, { model: 'PER_UNIT', unitPrice: '0.1', appliesTo: 'OVERAGE' }),
  ];
  return newProductKey(api, business.live, { productIds, pricingRuleIds, quota: 10, start, ...fields });
}

const use = async (productKeyId: string, amount: number) =>
  (await callUsage(api, business.live, 'recordUsage', { productKeyId, amount })).data.recordUsage;

const short = ({ periodStart, periodEnd, usage, total }: any) => [periodStart, periodEnd, usage, total?.amount ?? null];
const shortly = async (id: string) => (await statementsOf(api, business.live, id)).map(short);
const countStatements = async () =>
  (await api.db.sql<{ count: number }>(null, 'SELECT count(*)::int FROM product_key_statements', []))[0]?.count ?? 0;
const typesOf = async (id: string) => (await changesOf(api, id)).map(({ type }) => type.replace('product_key.', ''));

test('a statement says what the period was and cost, part by part; its event says so, and it never changes', async () => {
  const id = await dailyKey();
  await use(id, 25);
  const preview = await quote(api, business.live, { productKeyId: id, units: '0' });
  expect(await closePeriodsAt(api, day(1, -1))).toBe(0);
  expect(await closePeriodsAt(api, day(1))).toBe(1);
  expect(await closePeriodsAt(api, day(1))).toBe(0);
  const [statement] = await statementsOf(api, business.live, id);
  const usd = (amount: string) => ({ amount, currencyCode: 'USD' });
  expect(statement).toEqual({
    id: expect.stringMatching(/^stmt_/),
    periodStart: start,
    periodEnd: day(1),
    usage: '25',
    quota: '10',
    overage: '15',
    overQuota: 'METER',
    currencyCode: 'USD',
    lines: [
      {
        pricingRuleVersion: 1,
        name: 'Plan',
        model: 'FLAT',
        appliesTo: 'USAGE',
        units: '0',
        exactAmount: '1',
        amount: usd('1.00'),
        parts: [{ upTo: null, units: '0', unitPrice: '0', flatAmount: usd('1.00'), exactAmount: '1' }],
      },
      {
        pricingRuleVersion: 1,
        name: 'Plan',
        model: 'PER_UNIT',
        appliesTo: 'OVERAGE',
        units: '15',
        exactAmount: '1.5',
        amount: usd('1.50'),
        parts: [{ upTo: null, units: '15', unitPrice: '0.1', flatAmount: usd('0.00'), exactAmount: '1.5' }],
      },
    ],
    subtotal: usd('2.50'),
    discounts: [],
    discountTotal: usd('0.00'),
    total: usd('2.50'),
    testMode: false,
    closedAt: day(1),
  });
  // What was quoted for it is what it says.
  const { id: statementId, overQuota: _, testMode: __, closedAt: ___, ...figures } = statement;
  expect(figures).toEqual(preview);
  const closed = (await changesOf(api, id)).at(-1);
  expect(closed).toMatchObject({ type: 'product_key.period_closed', sequence: 2, actor_kind: 'SYSTEM' });
  expect(closed?.after).toEqual({
    statementId: rowId(statementId),
    periodStart: start,
    periodEnd: day(1),
    usage: '25',
    quota: '10',
    currency: 'USD',
    totalMinor: '250',
  });
  for (const change of [
    "UPDATE product_key_statements SET total_minor = '0'",
    'DELETE FROM product_key_statements',
    'TRUNCATE product_key_statements',
  ])
    await expect(api.db.writer.pool.query(change)).rejects.toThrow(/product_key_statements/);
  // What comes late is refused: the statement has been sent.
  api.setNow(day(1));
  const late = await callUsage(api, business.live, 'correctUsage', {
    productKeyId: id,
    amount: -1,
    reason: 'x',
    occurredAt: day(1, -1),
  });
  expect(late.data.correctUsage.userErrors[0]).toMatchObject({ code: 'USAGE_PERIOD_CLOSED', periodStart: day(1) });
  expect((await statementsOf(api, business.live, id))[0]).toEqual(statement);
  const { productKey } = await api.data({
    token: business.live,
    query: `query ($id: ID!) { productKey(id: $id) { consumedQuota currentStatement { usage total { amount } }
      statements { totalCount nodes { id productKey { id } lines { pricingRule { name } } slaCredits { metric } } } } }`,
    variables: { id },
  });
  expect(productKey).toEqual({
    consumedQuota: '0',
    currentStatement: { usage: '0', total: { amount: '1.00' } },
    statements: {
      totalCount: 1,
      nodes: [
        {
          id: statementId,
          productKey: { id },
          lines: [{ pricingRule: { name: 'Plan' } }, { pricingRule: { name: 'Plan' } }],
          slaCredits: [],
        },
      ],
    },
  });
});

test('periods that nobody used and those that were skipped get their statements, in batches, whoever comes first', async () => {
  const [byJob, byUse] = [await dailyKey(), await dailyKey()];
  await use(byUse, 3);
  api.setNow(day(5));
  expect((await use(byUse, 1)).usage.consumedQuota).toBe('1');
  expect(await shortly(byUse)).toEqual([
    [day(0), day(1), '3', '1.00'],
    ...[1, 2, 3, 4].map((n) => [day(n), day(n + 1), '0', '1.00']),
  ]);
  // More periods than one transaction closes.
  const before = await countStatements();
  const closed = await Promise.all([closePeriodsAt(api, day(450, 5)), closePeriodsAt(api, day(450, 5))]);
  expect(closed[0] + closed[1]).toBe((await countStatements()) - before);
  const [{ count, first, last }] = (await api.db.sql(
    null,
    `SELECT count(*)::int, min(starts_at) AS first, max(ends_at) AS last FROM product_key_statements WHERE product_key_id = $1`,
    [rowId(byJob)],
  )) as [any];
  expect([count, first, last]).toEqual([450, new Date(day(0)), new Date(day(450))]);
  const sequences = (await changesOf(api, byJob)).map(({ sequence }) => sequence);
  expect(sequences).toEqual(Array.from({ length: 451 }, (_, i) => i + 1));
});

test('one statement and one event for each period, whatever uses, workers and changes come at its end', async () => {
  const ids = [await dailyKey(), await dailyKey(), await dailyKey()];
  const [busy] = ids as [string];
  await use(busy, 5);
  api.setNow(day(1));
  const before = await Promise.all(ids.map(typesOf));
  const outcomes = await Promise.all([
    closePeriodsAt(api, day(1)),
    ...Array.from({ length: 50 }, () => use(busy, 1)),
    closePeriodsAt(api, day(1)),
    callProductKey(api, business.live, 'updateProductKey', { productKeyId: busy, quota: 20 }),
    closePeriodsAt(api, day(1, 7)),
    callUsage(api, business.live, 'recordUsages', { rows: ids.map((productKeyId) => ({ productKeyId, amount: 1 })) }),
  ]);
  expect(outcomes).toHaveLength(55);
  await closePeriodsAt(api, day(1));
  expect(await Promise.all(ids.map(shortly))).toEqual([
    [[day(0), day(1), '5', '1.00']],
    [[day(0), day(1), '0', '1.00']],
    [[day(0), day(1), '0', '1.00']],
  ]);
  const after = await Promise.all(ids.map(typesOf));
  expect(
    after.map((types, i) => types.slice((before[i] as string[]).length).filter((type) => type === 'period_closed')),
  ).toEqual(Array(3).fill(['period_closed']));
  const now = await quote(api, business.live, { productKeyId: busy, units: 0 });
  expect([now.usage, now.quota]).toEqual(['51', '20']);
  // Within a period, a use is one statement as before.
  expect(await countWrites(api, () => use(busy, 1))).toBe(1);
});

test('a period is charged by what was attached just before its end, at its version', async () => {
  const [first, second] = [
    await newPricingRule(api, business.live, { amount: '5', model: 'FLAT', name: 'First' }),
    await newPricingRule(api, business.live, { amount: '7', model: 'FLAT', name: 'Second' }),
  ];
  const id = await dailyKey({ pricingRuleIds: [first] });
  const at = (instant: string, name: string, pricingRuleId: string) => {
    api.setNow(instant);
    return callPricing(api, business.live, name, { productKeyId: id, pricingRuleId }, 'productKey { id }');
  };
  await callPricing(
    api,
    business.live,
    'updatePricingRule',
    { pricingRuleId: first, amount: '50' },
    'pricingRule { version }',
  );
  await at(day(1, -1), 'attachPricingRule', second);
  // At the end of a period means in the next one; the one before is closed with what it had.
  await at(day(2), 'detachPricingRule', first);
  await at(day(3, -1), 'attachPricingRule', first);
  await at(day(4), 'detachPricingRule', second);
  await at(day(4), 'detachPricingRule', first);
  await closePeriodsAt(api, day(5));
  const statements = await statementsOf(api, business.live, id);
  expect(
    statements.map(({ lines, total }) => [
      lines.map((line: any) => `${line.name} ${line.pricingRuleVersion}`),
      total?.amount,
    ]),
  ).toEqual([
    [['First 1', 'Second 1'], '12.00'],
    [['First 1', 'Second 1'], '12.00'],
    [['Second 1', 'First 2'], '57.00'],
    [['Second 1', 'First 2'], '57.00'],
    [[], undefined],
  ]);
  expect(statements.at(-1)).toMatchObject({ currencyCode: null, subtotal: null, total: null, lines: [] });
});

test('whoever is behind the clock that closed a period changes the next one, not the one that is closed', async () => {
  const id = await dailyKey({ pricingRuleIds: [] });
  const pricingRuleId = await newPricingRule(api, business.live, { amount: '5', model: 'FLAT' });
  await closePeriodsAt(api, day(1, 5));
  api.setNow(day(1, -3));
  const on = { productKeyId: id, pricingRuleId };
  const rules = 'productKey { pricingRules { attachedAt } pricingRuleHistory { attachedAt detachedAt } }';
  const { productKey } = await callPricing(api, business.live, 'attachPricingRule', on, rules);
  expect(productKey.pricingRules).toEqual([{ attachedAt: day(1) }]);
  api.setNow(day(1.5));
  await callPricing(api, business.live, 'detachPricingRule', on, rules);
  api.setNow(day(1.4));
  const again = await callPricing(api, business.live, 'attachPricingRule', on, rules);
  expect(again.productKey.pricingRuleHistory).toEqual([
    { attachedAt: day(1.5), detachedAt: null },
    { attachedAt: day(1), detachedAt: day(1.5) },
  ]);
  await closePeriodsAt(api, day(2));
  expect(await shortly(id)).toEqual([
    [day(0), day(1), '0', null],
    [day(1), day(2), '0', '5.00'],
  ]);
});

test('the last period ends with the key, and what a period costs goes down with it; then nothing is left to close', async () => {
  const product = { quotaPeriod: 'MONTH' };
  const flat = await newPricingRule(api, business.live, { amount: '31', model: 'FLAT' });
  const usage = await newPricingRule(api, business.live, { model: 'PER_UNIT', unitPrice: '1' });
  const fields = { pricingRuleIds: [flat, usage], allowMidPeriodCancellation: true };
  const cancelled = await dailyKey(fields, product);
  const expiring = await dailyKey({ ...fields, expiration: day(10, 1) }, product);
  const trial = await dailyKey(fields, { ...product, trialDays: 14 });
  const endless = await dailyKey({ pricingRuleIds: [flat] }, { quotaPeriod: null });
  const scheduled = await dailyKey({ ...fields, start: day(20) }, product);
  const calendar = await dailyKey({ ...fields, start: day(15) }, { ...product, quotaAnchor: 'CALENDAR' });
  await use(cancelled, 2);
  // What is known of the end is quoted: ten of 31 days and a millisecond, rounded up to a cent.
  expect((await quote(api, business.live, { productKeyId: expiring, units: 3 })).total.amount).toBe('13.01');
  api.setNow(day(10));
  for (const productKeyId of [cancelled, scheduled])
    await callProductKey(api, business.live, 'cancelProductKey', { productKeyId, at: 'NOW' });
  await callProductKey(api, business.live, 'cancelProductKey', { productKeyId: endless });
  api.setNow(day(11));
  await callProductKey(api, business.live, 'disableProductKey', { productKeyId: expiring });
  await closePeriodsAt(api, day(31));
  expect(await shortly(cancelled)).toEqual([[day(0), day(10), '2', '12.00']]);
  expect(await shortly(expiring)).toEqual([[day(0), day(10, 1), '0', '10.01']]);
  expect(await shortly(trial)).toEqual([[day(0), day(31), '0', '17.00']]);
  expect(await shortly(endless)).toEqual([[day(0), day(10), '0', '31.00']]);
  expect(await shortly(scheduled)).toEqual([]);
  expect(await shortly(calendar)).toEqual([[day(15), day(31), '0', '16.00']]);
  expect((await typesOf(cancelled)).slice(-2)).toEqual(['cancelled', 'period_closed']);
  expect(await closePeriodsAt(api, day(400))).toBeGreaterThan(0);
  expect((await shortly(cancelled)).length + (await shortly(endless)).length).toBe(2);
  // An ended key stays in its last period; neither quotes nor corrections are for it any more.
  api.setNow(day(400));
  const ended = await api.data({
    token: business.live,
    query: 'query ($id: ID!) { productKey(id: $id) { consumedQuota quotaPeriodEnd currentStatement { usage } } }',
    variables: { id: cancelled },
  });
  expect(ended.productKey).toEqual({ consumedQuota: '2', quotaPeriodEnd: day(31), currentStatement: null });
  expect(await quote(api, business.live, { productKeyId: cancelled, units: 1 })).toEqual([
    { code: 'PRODUCT_KEY_ENDED', path: ['input', 'productKeyId'], endedAs: 'CANCELLED' },
  ]);
  const correction = await callUsage(api, business.live, 'correctUsage', {
    productKeyId: cancelled,
    amount: -1,
    reason: 'x',
  });
  expect(correction.data.correctUsage.userErrors).toMatchObject([
    { code: 'USAGE_PERIOD_CLOSED', path: ['input', 'productKeyId'] },
  ]);
});

test('a cancellation for the end of a period closes that one alone, whether the worker or a use comes first', async () => {
  const ids = [await dailyKey(), await dailyKey()];
  for (const productKeyId of ids) await callProductKey(api, business.live, 'cancelProductKey', { productKeyId });
  expect(await closePeriodsAt(api, day(3))).toBeGreaterThanOrEqual(2);
  api.setNow(day(3));
  expect((await use(ids[0] as string, 1)).userErrors[0].code).toBe('PRODUCT_KEY_NOT_USABLE');
  await callProductKey(api, business.live, 'disableProductKey', { productKeyId: ids[1] });
  for (const id of ids) expect(await shortly(id)).toEqual([[day(0), day(1), '0', '1.00']]);
});

test('a statement that is written late is dated with when it is, not with when the key ended', async () => {
  const id = await dailyKey({ expiration: day(1.5) }, { quotaPeriod: null });
  api.setNow(day(9));
  await callProductKey(api, business.live, 'disableProductKey', { productKeyId: id });
  expect(await shortly(id)).toEqual([]);
  expect(await applyDueEventsAt(api, day(9))).toBeGreaterThan(0);
  const [statement] = await statementsOf(api, business.live, id);
  expect([statement.periodEnd, statement.closedAt]).toEqual([day(1.5), day(9)]);
  const events = (await changesOf(api, id)).slice(-2);
  expect(events.map(({ type, created_at }) => [type, created_at.toISOString()])).toEqual([
    ['product_key.expired', day(1.5)],
    ['product_key.period_closed', day(9)],
  ]);
});

test('of uses and an end at once, each use that was counted stands in the last statement, and no other', async () => {
  for (let round = 0; round < 3; round++) {
    const id = await dailyKey({ allowMidPeriodCancellation: true });
    api.setNow(day(0.5));
    const uses = Array.from({ length: 40 }, () => use(id, 1));
    const cancelled = callProductKey(api, business.live, 'cancelProductKey', { productKeyId: id, at: 'NOW' });
    const counted = (await Promise.all(uses)).filter(({ userErrors }) => userErrors.length === 0).length;
    expect((await cancelled).userErrors).toEqual([]);
    expect((await statementsOf(api, business.live, id)).map(({ usage }) => usage)).toEqual([String(counted)]);
    const [meter] = await api.db.sql(null, 'SELECT consumed::int FROM product_key_meters WHERE id = $1', [rowId(id)]);
    expect(meter).toEqual({ consumed: counted });
  }
});

test('a key whose period cannot be closed stops no other, and is closed when it can', async () => {
  const ids = [await dailyKey(), await dailyKey(), await dailyKey()];
  await api.db.writer.pool.query(`CREATE FUNCTION refuse_one() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
      IF NEW.product_key_id = '${rowId(ids[1] as string)}' THEN RAISE EXCEPTION 'not this one'; END IF; RETURN NEW; END $$;
    CREATE TRIGGER refuse_one BEFORE INSERT ON product_key_statements FOR EACH ROW EXECUTE FUNCTION refuse_one()`);
  await closePeriodsAt(api, day(1));
  expect((await Promise.all(ids.map(shortly))).map((statements) => statements.length)).toEqual([1, 0, 1]);
  await api.db.writer.pool.query('DROP TRIGGER refuse_one ON product_key_statements; DROP FUNCTION refuse_one');
  await closePeriodsAt(api, day(1));
  expect(await shortly(ids[1] as string)).toEqual([[day(0), day(1), '0', '1.00']]);
});

test('what was credited for a breach stands in the statement of the period in which it was, beside the total', async () => {
  const slaDefinitionId = await newSlaDefinition(api, business.live);
  const id = await dailyKey({ slaDefinitionIds: [slaDefinitionId] });
  const payment = { externalPaymentId: `sla-${id}`, result: 'SUCCEEDED', amount: '10', currencyCode: 'USD' };
  await callProductKey(api, business.live, 'recordPaymentResult', { productKeyId: id, ...payment });
  api.setNow(day(1.25));
  const breach = { metric: 'AVAILABILITY', measured: '98', startsAt: day(0), endsAt: day(0.5) };
  await callSla(
    api,
    business.live,
    'recordSlaBreach',
    { productKeyId: id, slaDefinitionId, ...breach },
    'slaBreach { id }',
  );
  await closePeriodsAt(api, day(3));
  const query = `query ($id: ID!) { productKey(id: $id) { statements(orderBy: { direction: ASC }) { nodes { total { amount }
    slaCredits { metric amount { amount currencyCode } creditedAt slaBreach { startsAt } } } } } }`;
  const { productKey } = await api.data({ token: business.live, query, variables: { id } });
  const credit = {
    metric: 'AVAILABILITY',
    amount: { amount: '2.50', currencyCode: 'USD' },
    creditedAt: day(1.25),
    slaBreach: { startsAt: day(0) },
  };
  const total = { amount: '1.00' };
  expect(productKey.statements.nodes).toEqual([
    { total, slaCredits: [] },
    { total, slaCredits: [credit] },
    { total, slaCredits: [] },
  ]);
});

test('what no bigint holds is charged and told', async () => {
  const unitPrice = '2147483646.999999999999';
  const pricingRuleIds = [await newPricingRule(api, business.live, { model: 'PER_UNIT', unitPrice })];
  const id = await dailyKey({ pricingRuleIds, quota: null });
  const amount = (2n ** 63n - 1n).toString();
  await callUsage(api, business.live, 'recordUsage', { productKeyId: id, amount });
  await closePeriodsAt(api, day(1));
  expect(await shortly(id)).toEqual([[day(0), day(1), amount, '19807040619342712359374504756.96']]);
});

test('billing systems page through statements without gaps; each sees its own', async () => {
  const [mine, theirs] = [await newBusiness(api), await newBusiness(api)];
  const owner = await newCustomer(api, mine.live);
  api.setNow(start);
  const productIds = [await newProduct(api, mine.live, { quotaPeriod: 'DAY' })];
  const pricingRuleIds = [await newPricingRule(api, mine.live, { model: 'FLAT', amount: '3', currencyCode: 'EUR' })];
  await newProductKey(api, mine.live, { productIds, pricingRuleIds, owner });
  await newProductKey(api, mine.live, { productIds });
  await newProductKey(api, mine.test, { productIds });
  await closePeriodsAt(api, day(3));
  await closePeriodsAt(api, day(4));
  const page = async (token: string, args: Fields = {}): Promise<any> => {
    const query = `query ($after: String, $where: ProductKeyStatementWhere) { productKeyStatements(first: 2, after: $after, where: $where,
      orderBy: { field: CLOSED_AT, direction: ASC }) { totalCount nodes { id closedAt currencyCode } pageInfo { hasNextPage endCursor } } }`;
    return (await api.data({ token, query, variables: args })).productKeyStatements;
  };
  const seen: string[] = [];
  for (let after: string | null = null; ;) {
    const { nodes, pageInfo } = await page(mine.live, { after });
    seen.push(...nodes.map(({ id }: any) => id));
    if (!pageInfo.hasNextPage) break;
    after = pageInfo.endCursor;
  }
  expect([seen.length, new Set(seen).size]).toEqual([8, 8]);
  const count = async (where: Fields, token = mine.live) => (await page(token, { where })).totalCount;
  expect(await count({ closedAt: { gte: day(4) } })).toBe(2);
  expect(await count({ periodEnd: { lt: day(2) } })).toBe(2);
  expect(await count({ currencyCode: { in: ['EUR'] } })).toBe(4);
  expect(await count({ ownerId: { in: [owner] } })).toBe(4);
  expect(await count({ id: { in: [seen[0], 'nothing'] } })).toBe(1);
  expect([await count({}, mine.test), await count({}, theirs.live)]).toEqual([4, 0]);
  const session = await newSession(api, mine.live, owner);
  const reader = await newApiKey(api, mine.live, ['PRODUCT_KEYS_READ']);
  expect([await count({}, session), await count({}, reader)]).toEqual([4, 8]);
  const [id] = (await page(session)).nodes.map((node: any) => node.id);
  const one =
    'query ($id: ID!) { productKeyStatement(id: $id) { productKey { owner { id } } lines { pricingRule { id } amount { amount } } } }';
  const answer = await api.call({ token: session, query: one, variables: { id } });
  // To its owner a statement says what it costs, not by which object of the business.
  expect(answer.data.productKeyStatement).toEqual({
    productKey: { owner: { id: owner } },
    lines: [{ pricingRule: null, amount: { amount: '3.00' } }],
  });
  const stranger = await newSession(api, mine.live, await newCustomer(api, mine.live));
  for (const token of [stranger, theirs.live, mine.test]) {
    expect((await api.data({ token, query: one, variables: { id } })).productKeyStatement).toBe(null);
  }
  const narrow = await newApiKey(api, mine.live, ['CATALOG_READ']);
  expect((await api.call({ token: narrow, query: one, variables: { id } })).errors?.[0]?.extensions.code).toBe(
    'FORBIDDEN',
  );
});

test('what is due is read off its own index, however many keys there are', async () => {
  const [{ plan }] = (await api.db.sql(
    null,
    `SELECT indexdef AS plan FROM pg_indexes WHERE indexname = 'product_key_meters_open'`,
    [],
  )) as [{ plan: string }];
  expect(plan).toContain('(period_ends_at, id) WHERE ((closed_at IS NULL) AND (period_ends_at IS NOT NULL))');
  const client = await api.db.writer.pool.connect();
  try {
    await client.query('BEGIN; SET LOCAL enable_seqscan = off; SET LOCAL enable_bitmapscan = off');
    const { rows } = await client.query(`EXPLAIN SELECT id FROM product_key_meters WHERE closed_at IS NULL
      AND period_ends_at IS NOT NULL AND period_ends_at <= '${start}' AND (period_ends_at, id) > ('-infinity', '00000000-0000-0000-0000-000000000000')
      ORDER BY period_ends_at, id LIMIT 200`);
    expect(JSON.stringify(rows)).toContain('product_key_meters_open');
  } finally {
    await client.query('ROLLBACK');
    client.release();
  }
});

test('after all that, every statement is what its parts come to, every limit is exact', async () => {
  await expectInvariants(api.db);
});
