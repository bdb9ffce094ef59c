import { beforeAll, expect, test } from '@jest/globals';
import { useApi } from '../support/api.js';
import { newBusiness, newCustomer, newSession, type TestBusiness } from '../support/business.js';
import { newProduct } from '../support/catalog.js';
import { expectInvariants } from '../support/invariants.js';
import { changesOf } from '../support/licenses.js';
import { applyDueEventsAt, closePeriodsAt, newPricingRule, quote, statementsOf } from '../support/pricing.js';
import { callProductKey, newProductKey } from '../support/productKeys.js';
import { callSla, newSlaDefinition } from '../support/sla.js';
import { callUsage } from '../support/usage.js';

// Statements beside what else happens to a key: transfers, moved starts, ends that are moved or withdrawn at their instant.

const api = useApi();
let business: TestBusiness;
let daily: string;
let flat: string;

const start = '2026-03-01T00:00:00.000Z';
const day = (n: number, ms = 0) => new Date(Date.parse(start) + n * 86_400_000 + ms).toISOString();

beforeAll(async () => {
  api.setNow(start);
  business = await newBusiness(api);
  daily = await newProduct(api, business.live, { quotaPeriod: 'DAY', overQuota: 'METER' });
  flat = await newPricingRule(api, business.live, { amount: '1', model: 'FLAT' });
});

type Fields = Record<string, unknown>;

async function keyOf(fields: Fields = {}): Promise<string> {
  api.setNow(start);
  return newProductKey(api, business.live, { productIds: [daily], pricingRuleIds: [flat], start, ...fields });
}

const call = async (name: string, productKeyId: string, more: Fields = {}, selection = '') => {
  const payload = await callProductKey(api, business.live, name, { productKeyId, ...more }, selection);
  expect(payload.userErrors).toEqual([]);
  return payload;
};
const use = async (productKeyId: string, amount: number) =>
  (await callUsage(api, business.live, 'recordUsage', { productKeyId, amount })).data.recordUsage;
const shortly = async (id: string) =>
  (await statementsOf(api, business.live, id)).map(({ periodStart, periodEnd, usage, total }) => [
    periodStart,
    periodEnd,
    usage,
    total?.amount ?? null,
  ]);
const typesOf = async (id: string) => (await changesOf(api, id)).map(({ type }) => type.replace('product_key.', ''));

test('whose key it was when a period ended is who pays it, whenever its statement is written; each sees its own', async () => {
  const [former, owner] = [await newCustomer(api, business.live), await newCustomer(api, business.live)];
  const id = await keyOf({ owner: former });
  await use(id, 3);
  api.setNow(day(2.5));
  await call('transferProductKey', id, { owner });
  await use(id, 4);
  await closePeriodsAt(api, day(3));
  const query = `query ($where: ProductKeyStatementWhere) { productKeyStatements(where: $where, orderBy: { direction: ASC }) {
    nodes { periodStart usage owner { id } productKey { id } } } }`;
  const seen = async (token: string, where: Fields = {}) =>
    (await api.data({ token, query, variables: { where } })).productKeyStatements.nodes;
  const first = [
    { periodStart: day(0), usage: '3', owner: { id: former }, productKey: { id } },
    { periodStart: day(1), usage: '0', owner: { id: former }, productKey: { id } },
  ];
  const last = [{ periodStart: day(2), usage: '4', owner: { id: owner }, productKey: { id } }];
  expect(await seen(business.live, { productKeyId: { in: [id] } })).toEqual([...first, ...last]);
  expect(await seen(business.live, { ownerId: { in: [former] } })).toEqual(first);
  // The key is not the former owner's any more; what that one has to pay is.
  expect(await seen(await newSession(api, business.live, former))).toEqual(
    first.map((statement) => ({ ...statement, productKey: null })),
  );
  expect(await seen(await newSession(api, business.live, owner))).toEqual(last);
  expect(await typesOf(id)).toEqual(['created', 'period_closed', 'period_closed', 'transferred', 'period_closed']);
});

test('what a late payment gives back for a breach goes to who has the key then; who had it still reads of the breach', async () => {
  const [former, owner] = [await newCustomer(api, business.live), await newCustomer(api, business.live)];
  const slaDefinitionId = await newSlaDefinition(api, business.live);
  const id = await keyOf({ owner: former, slaDefinitionIds: [slaDefinitionId] });
  const pay = (externalPaymentId: string) =>
    call('recordPaymentResult', id, {
      ...{ externalPaymentId: `${externalPaymentId} ${id}`, result: 'SUCCEEDED', amount: '10', currencyCode: 'USD' },
      ...{ periodStart: day(0), periodEnd: day(30) },
    });
  await pay('early');
  api.setNow(day(1));
  const breach = { metric: 'AVAILABILITY', measured: '98', startsAt: day(0), endsAt: day(0.5) };
  const told = { productKeyId: id, slaDefinitionId, ...breach };
  const { slaBreach } = await callSla(api, business.live, 'recordSlaBreach', told, 'slaBreach { id }');
  api.setNow(day(2));
  await call('transferProductKey', id, { owner });
  await pay('late');
  const wallets =
    'wallets { nodes { balance { amount } ledgerEntries { nodes { transaction { kind slaBreaches { id } } } } } }';
  const mine = async (customerId: string) =>
    (await api.data({ token: await newSession(api, business.live, customerId), query: `{ ${wallets} }` })).wallets
      .nodes;
  const wallet = (known: unknown) => [
    {
      balance: { amount: '2.50' },
      ledgerEntries: { nodes: [{ transaction: { kind: 'SLA_CREDIT', slaBreaches: known } }] },
    },
  ];
  expect([await mine(former), await mine(owner)]).toEqual([wallet([{ id: slaBreach.id }]), wallet([])]);
  const of = async (token: string) =>
    (
      await api.data({
        token,
        query: `query ($id: ID!) { node(id: $id) { ... on SlaBreach { credits { amount } productKey { id } ledgerEntries { amount { amount } } } } }`,
        variables: { id: slaBreach.id },
      })
    ).node;
  const [credits, entry] = [[{ amount: '5.00' }], { amount: { amount: '2.50' } }];
  expect(await of(business.live)).toEqual({ credits, productKey: { id }, ledgerEntries: [entry, entry] });
  const session = await newSession(api, business.live, former);
  expect(await of(session)).toEqual({ credits, productKey: null, ledgerEntries: [entry] });
});

test.each<[string, Fields, (id: string) => Promise<unknown>]>([
  ['withdrawn', {}, (id) => call('withdrawProductKeyCancellation', id)],
  [
    'moved by a payment',
    {},
    (id) =>
      call('recordPaymentResult', id, {
        ...{ externalPaymentId: `next ${id}`, result: 'SUCCEEDED', amount: '1', currencyCode: 'USD' },
        ...{ periodStart: day(1), periodEnd: day(3) },
      }),
  ],
  ['an expiration that is moved', { expiration: day(1) }, (id) => call('updateProductKey', id, { expiration: day(3) })],
])(
  'an end that is %s by whoever is behind the clock that closed its period: the key has ended, or it counts and is charged',
  async (_name, fields, move) => {
    const [id, ended] = [await keyOf(fields), await keyOf(fields)];
    if (!fields.expiration) for (const one of [id, ended]) await call('cancelProductKey', one);
    // A batch of uses closes the period of a key that has ended by its clock, and writes nothing of the end; the worker does.
    api.setNow(day(1, 5));
    await callUsage(api, business.live, 'recordUsages', { rows: [{ productKeyId: id, amount: 1 }] });
    api.setNow(day(1, -3));
    await move(id);
    await closePeriodsAt(api, day(1, 5));
    await expect(move(ended)).rejects.toThrow('PRODUCT_KEY_ENDED');
    expect(await shortly(ended)).toEqual([[day(0), day(1), '0', '1.00']]);
    api.setNow(day(1.5));
    expect((await use(id, 7)).userErrors).toEqual([]);
    await closePeriodsAt(api, day(2));
    expect(await shortly(id)).toEqual([
      [day(0), day(1), '0', '1.00'],
      [day(1), day(2), '7', '1.00'],
    ]);
  },
);

test('a start that is moved moves the first period, what a part of it costs, the SLA and the threshold that was told', async () => {
  const monthly = await newProduct(api, business.live, {
    quotaPeriod: 'MONTH',
    quotaAnchor: 'CALENDAR',
    overQuota: 'METER',
  });
  const pricingRuleIds = [await newPricingRule(api, business.live, { amount: '31', model: 'FLAT' })];
  const slaDefinitionId = await newSlaDefinition(api, business.live);
  const fields = { productIds: [monthly], pricingRuleIds, slaDefinitionIds: [slaDefinitionId], start: day(40) };
  const [id, later] = [
    await keyOf({ ...fields, quota: 100, consumedQuota: 60, quotaNotificationThreshold: 90 }),
    await keyOf(fields),
  ];
  await call('updateProductKey', id, { quota: 50 });
  api.setNow(day(10));
  // Two thirds of March: what lies before the start is not charged.
  await call('updateProductKey', id, { start: day(10), quota: 55 });
  await call('updateProductKey', later, { start: day(45) });
  expect((await quote(api, business.live, { productKeyId: id, units: 0 })).total.amount).toBe('21.00');
  await use(id, 5);
  expect((await typesOf(id)).filter((type) => type === 'quota_threshold_exceeded')).toHaveLength(1);
  api.setNow(day(12));
  const breach = { metric: 'AVAILABILITY', measured: '98', startsAt: day(10.5), endsAt: day(11) };
  const told = { productKeyId: id, slaDefinitionId, ...breach };
  const recorded = await callSla(api, business.live, 'recordSlaBreach', told, 'slaBreach { id }');
  expect(recorded.userErrors).toEqual([]);
  await applyDueEventsAt(api, day(61));
  await closePeriodsAt(api, day(61));
  expect(await shortly(id)).toEqual([
    [day(10), day(31), '65', '21.00'],
    [day(31), day(61), '0', '31.00'],
  ]);
  // 16 of 30 days of April.
  expect(await shortly(later)).toEqual([[day(45), day(61), '0', '16.54']]);
});

test('a start that comes with a quota that is exceeded is written once, and the threshold is told of the period that it begins', async () => {
  const quota = { quota: 1000, consumedQuota: 60, quotaNotificationThreshold: 50 };
  const id = await keyOf({ ...quota, start: day(40) });
  api.setNow(day(10));
  await call('updateProductKey', id, { start: day(10), quota: 100 });
  expect(await typesOf(id)).toEqual(['created', 'updated', 'activated', 'quota_threshold_exceeded']);
  expect((await changesOf(api, id)).at(-1)?.after).toMatchObject({
    quotaPeriodStart: day(10),
    quotaPeriodEnd: day(11),
  });
  await use(id, 1);
  expect(await typesOf(id)).toHaveLength(4);
});

test('a start that is moved before the key was created takes the SLAs with it, and brings no statements of what is past', async () => {
  const slaDefinitionId = await newSlaDefinition(api, business.live);
  const id = await keyOf({ slaDefinitionIds: [slaDefinitionId], start: day(40) });
  api.setNow(day(10.5));
  await call('updateProductKey', id, { start: day(-5) });
  const breach = { metric: 'AVAILABILITY', measured: '98', startsAt: day(-3), endsAt: day(-2) };
  const told = { productKeyId: id, slaDefinitionId, ...breach };
  expect((await callSla(api, business.live, 'recordSlaBreach', told, '__typename')).userErrors).toEqual([]);
  await closePeriodsAt(api, day(11));
  expect(await shortly(id)).toEqual([[day(10), day(11), '0', '1.00']]);
});

test('after all that, every statement is what its parts come to, every credit where it belongs', async () => {
  await expectInvariants(api.db);
});
