import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { sharesOf, totalsOf } from '../../src/productKeys/slaShares.js';
import { newId } from '../../src/kernel/id.js';
import { inSqlTransaction } from '../../src/kernel/transaction.js';
import type { RequestContext } from '../../src/kernel/requestContext.js';
import { payIntoWallet } from '../../src/wallets/payIntoWallet.js';
import { useApi } from '../support/api.js';
import { newBusiness, newCustomer, newSession } from '../support/business.js';
import { expectInvariants } from '../support/invariants.js';
import { changesOf, rowId } from '../support/licenses.js';
import { callProductKey, newProductKey } from '../support/productKeys.js';
import { callSla, newSlaDefinition, slaBreachFields, slaRows } from '../support/sla.js';

const api = useApi();
const DAY = 86_400_000;
const at = (n: number) => new Date(Date.parse('2026-03-01T00:00:00Z') + n * DAY).toISOString();
const codes = ({ userErrors }: any) => userErrors.map(({ code }: any) => code);
const errorsOf = ({ userErrors }: any) =>
  userErrors.map(({ code, path }: any) => `${code} ${path.slice(1).join('.')}`).sort();
const text = ({ amount, currencyCode }: any) => `${amount} ${currencyCode}`;

const selection = `slaBreach { ${slaBreachFields} note ledgerEntries { id } } productKey { id version }
  ledgerEntries { id isCredit amount { amount currencyCode } wallet { isDefault customer { id } } transaction { kind reason slaBreaches { id } } }`;
const record = (token: string, input: Record<string, unknown>, headers = {}) =>
  callSla(api, token, 'recordSlaBreach', input, selection, headers);
const pay = (token: string, productKeyId: string, externalPaymentId: string, more: Record<string, unknown> = {}) =>
  callProductKey(api, token, 'recordPaymentResult', {
    productKeyId,
    externalPaymentId: `${productKeyId} ${externalPaymentId}`,
    ...{ result: 'SUCCEEDED', amount: '30.01', currencyCode: 'USD', periodStart: at(0), periodEnd: at(30), ...more },
  });

/** A business with a key that began on day 0 and has the SLA; now is day 40. */
async function newKey(sla: Record<string, unknown> = {}, key: Record<string, unknown> = {}) {
  api.setNow(at(0));
  const business = await newBusiness(api);
  const { live } = business;
  const owner = await newCustomer(api, live);
  const slaDefinitionId = await newSlaDefinition(api, live, sla);
  const productKeyId = await newProductKey(api, live, { owner, slaDefinitionIds: [slaDefinitionId], ...key });
  api.setNow(at(40));
  const about = { productKeyId, slaDefinitionId };
  const month = { ...about, metric: 'AVAILABILITY', measured: '98.5', startsAt: at(0), endsAt: at(30) };
  return { ...business, owner, ...about, month };
}

async function balances(token: string, id: string): Promise<string[]> {
  const { customer } = await api.data({
    token,
    query: 'query ($id: ID!) { customer(id: $id) { wallets { nodes { balance { amount currencyCode } } } } }',
    variables: { id },
  });
  return customer.wallets.nodes.map(({ balance }: any) => text(balance)).sort();
}

test('a breach is judged, recorded and given back, to the minor unit', async () => {
  const { live, owner, productKeyId, slaDefinitionId, month } = await newKey();
  await pay(live, productKeyId, 'p1');
  const payload = await record(live, { ...month, note: ' Disk full ', externalId: 'INC-1' });
  const { slaBreach, ledgerEntries, productKey } = payload;
  expect(payload.userErrors).toEqual([]);
  const penalty = { metric: 'AVAILABILITY', limit: '99', creditBasisPoints: 2_500, creditAmount: null };
  expect(slaBreach).toEqual({
    id: expect.stringMatching(/^breach_/),
    metric: 'AVAILABILITY',
    target: '99.9',
    measured: '98.5',
    startsAt: at(0),
    endsAt: at(30),
    note: 'Disk full',
    externalId: 'INC-1',
    createdAt: at(40),
    definition: { id: slaDefinitionId },
    definitionVersion: { number: 1 },
    penalty,
    // A quarter of 30.01 is 7.5025.
    credits: [{ amount: '7.50', currencyCode: 'USD' }],
    productKey: { id: productKeyId },
    ledgerEntries: [{ id: ledgerEntries[0].id }],
  });
  expect(ledgerEntries).toEqual([
    {
      id: expect.any(String),
      isCredit: true,
      amount: { amount: '7.50', currencyCode: 'USD' },
      wallet: { isDefault: true, customer: { id: owner } },
      transaction: {
        kind: 'SLA_CREDIT',
        reason: expect.stringMatching(/^Product key P\d{9}: AVAILABILITY of 98.5 broke its SLA\.$/),
        slaBreaches: [{ id: slaBreach.id }],
      },
    },
  ]);
  expect([productKey.id, await balances(live, owner)]).toEqual([productKeyId, ['7.50 USD']]);
  const [change, ...others] = await changesOf(api, slaBreach.id);
  expect([others, change?.type, change?.snapshot]).toEqual([
    [],
    'sla.breached',
    expect.objectContaining({ measured: '98.5', credits: [{ currency: 'USD', amountMinor: '750' }] }),
  ]);
  await expectInvariants(api.db);
});

test('a value beyond no limit gives nothing back; of several limits the worst that is passed counts; the SLA that held then judges', async () => {
  const sla = {
    availability: { targetPercent: '99.95' },
    responseTime: { percentile: '95', thresholdMs: 200 },
    supportHours: { firstResponseMinutes: 30 },
    penalties: [
      { metric: 'AVAILABILITY', limit: '99', creditBasisPoints: 100 },
      { metric: 'RESPONSE_TIME', limit: '1000', creditBasisPoints: 300 },
      { metric: 'RESPONSE_TIME', limit: '500', creditBasisPoints: 200 },
      { metric: 'SUPPORT_HOURS', limit: '60', creditAmount: { amount: '2', currencyCode: 'USD' } },
    ],
  };
  const { live, productKeyId, slaDefinitionId, month } = await newKey(sla);
  await pay(live, productKeyId, 'p1', { amount: '100' });
  const rows: [string, string, number, string | null, string[]][] = [
    ['AVAILABILITY', '99.949999', 1, null, []],
    ['AVAILABILITY', '99', 2, null, []],
    ['AVAILABILITY', '98.999999', 3, '99', ['1.00 USD']],
    ['RESPONSE_TIME', '200.000001', 1, null, []],
    ['RESPONSE_TIME', '500', 2, null, []],
    ['RESPONSE_TIME', '1000', 3, '500', ['2.00 USD']],
    ['RESPONSE_TIME', '1000.5', 4, '1000', ['3.00 USD']],
    ['SUPPORT_HOURS', '60', 1, null, []],
    ['SUPPORT_HOURS', '61', 1, '60', ['2.00 USD']],
    ['SUPPORT_HOURS', '90', 1, '60', ['2.00 USD']],
  ];
  for (const [i, [metric, measured, n, limit, credits]] of rows.entries()) {
    const told = { ...month, metric, measured, startsAt: at(n), endsAt: at(n + 1), externalId: `T-${i}` };
    const { slaBreach, userErrors } = await record(live, told);
    expect([userErrors, slaBreach?.penalty?.limit ?? null, slaBreach?.credits.map(text)]).toEqual([[], limit, credits]);
  }
  for (const [metric, measured, target] of [
    ['AVAILABILITY', '99.95', '99.95'],
    ['RESPONSE_TIME', '200', '200'],
    ['SUPPORT_HOURS', '30', '30'],
  ]) {
    const kept = await record(live, { ...month, metric, measured, startsAt: at(9), endsAt: at(10), externalId: 'T-x' });
    expect(kept.userErrors).toMatchObject([{ code: 'SLA_NOT_BREACHED', path: ['input', 'measured'], target }]);
  }
  // From day 40 on a weaker version without response time holds; what began before is judged by the first one.
  const update = { slaDefinitionId, responseTime: null, availability: { targetPercent: '90' }, penalties: [] };
  await callSla(api, live, 'updateSlaDefinition', update, 'slaDefinition { id }');
  const attach = { productKeyId, slaDefinitionId };
  expect(codes(await callSla(api, live, 'attachSlaDefinition', attach, 'productKey { id }'))).toEqual([]);
  api.setNow(at(50));
  expect((await record(live, { ...month, startsAt: at(39), endsAt: at(45) })).slaBreach.definitionVersion.number).toBe(
    1,
  );
  const now = { ...month, startsAt: at(45), endsAt: at(46) };
  expect(codes(await record(live, now))).toEqual(['SLA_NOT_BREACHED']);
  const gone = await record(live, { ...now, metric: 'RESPONSE_TIME', measured: '900' });
  expect(gone.userErrors).toMatchObject([
    { code: 'SLA_METRIC_NOT_PROMISED', path: ['input', 'metric'], promised: ['AVAILABILITY', 'SUPPORT_HOURS'] },
  ]);
  expect((await record(live, { ...now, measured: '89' })).slaBreach).toMatchObject({
    definitionVersion: { number: 2 },
    penalty: null,
  });
  await callSla(api, live, 'detachSlaDefinition', attach, 'productKey { id }');
  expect(codes(await record(live, { ...now, measured: '88', startsAt: at(47), endsAt: at(48) }))).toEqual([]);
  api.setNow(at(51));
  expect(errorsOf(await record(live, { ...now, measured: '88', startsAt: at(50), endsAt: at(51) }))).toEqual([
    'SLA_NOT_ATTACHED slaDefinitionId',
  ]);
});

test('what does not stand is refused, where it stands, and nothing is recorded', async () => {
  const { live, test: testToken, productKeyId, slaDefinitionId, month } = await newKey();
  await pay(live, productKeyId, 'p1');
  const other = await newKey();
  const { slaBreach } = await record(live, { ...month, startsAt: at(5), endsAt: at(10), externalId: 'A' });
  const unattached = await newSlaDefinition(api, live);
  const later = await newProductKey(api, live, { slaDefinitionIds: [slaDefinitionId], start: at(42) });
  const ended = await newProductKey(api, live, {
    slaDefinitionIds: [slaDefinitionId],
    start: at(20),
    expiration: at(45),
  });
  const made = await callSla(api, live, 'createBrand', { name: 'B', url: 'brand-b.example.com' }, 'brand { id }');
  expect(made.userErrors).toEqual([]);
  api.setNow(at(50));
  const free = { ...month, startsAt: at(12), endsAt: at(14) };
  const rows: [string, Record<string, unknown>, string[], object?][] = [
    [live, { ...free, endsAt: at(12), measured: '100.1' }, ['INVALID_INPUT endsAt', 'INVALID_INPUT measured']],
    [live, { ...free, measured: '1.0000001' }, ['INVALID_INPUT measured']],
    [
      live,
      { ...free, measured: '-1', note: 'x'.repeat(2_001), externalId: 'x'.repeat(256) },
      ['externalId', 'measured', 'note'].map((f) => `INVALID_INPUT ${f}`),
    ],
    [live, { ...free, metric: 'SUPPORT_HOURS' }, ['INVALID_INPUT externalId']],
    [live, { ...free, endsAt: at(51) }, ['INVALID_INPUT endsAt']],
    [live, { ...free, productKeyId: 'pk_x' }, ['PRODUCT_KEY_NOT_FOUND productKeyId']],
    [other.live, free, ['PRODUCT_KEY_NOT_FOUND productKeyId']],
    [testToken, free, ['MODE_MISMATCH productKeyId']],
    [live, free, ['BRAND_MISMATCH productKeyId'], { 'brand-url': 'brand-b.example.com' }],
    [live, { ...free, slaDefinitionId: other.slaDefinitionId }, ['SLA_DEFINITION_NOT_FOUND slaDefinitionId']],
    [live, { ...free, slaDefinitionId: unattached }, ['SLA_NOT_ATTACHED slaDefinitionId']],
    [live, { ...free, startsAt: at(-1) }, ['SLA_NOT_ATTACHED slaDefinitionId']],
    [live, { ...free, productKeyId: later, startsAt: at(41) }, ['INVALID_INPUT endsAt']],
    [live, { ...free, productKeyId: later, startsAt: at(41), endsAt: at(43) }, ['SLA_NOT_ATTACHED slaDefinitionId']],
    [live, { ...free, productKeyId: ended, startsAt: at(45), endsAt: at(46) }, ['SLA_NOT_ATTACHED slaDefinitionId']],
    [live, { ...free, metric: 'RESPONSE_TIME', measured: '5' }, ['SLA_METRIC_NOT_PROMISED metric']],
    [live, { ...free, measured: '99.9' }, ['SLA_NOT_BREACHED measured']],
    [live, { ...free, startsAt: at(9) }, ['SLA_BREACH_OVERLAPS startsAt']],
    [live, { ...free, externalId: 'A' }, ['EXTERNAL_ID_TAKEN externalId']],
  ];
  // The expiration is written with whatever locks the key first.
  await callProductKey(api, live, 'disableProductKey', { productKeyId: ended });
  const before = await slaRows(api);
  for (const [token, input, expected, headers] of rows) {
    expect([expected, errorsOf(await record(token, input, headers))]).toEqual([expected, expected]);
  }
  const overlap = await record(live, { ...free, startsAt: at(9) });
  expect(overlap.userErrors).toMatchObject([{ startsAt: at(5), endsAt: at(10) }]);
  expect(await slaRows(api)).toBe(before);
  const again = await record(live, { ...month, startsAt: at(5), endsAt: at(10), externalId: ' A ', note: 'Once more' });
  expect([again.slaBreach.id, again.slaBreach.note, again.ledgerEntries.length]).toEqual([slaBreach.id, null, 1]);
  expect(await slaRows(api)).toBe(before);
  // Where one ends the next may begin; another key may have the same external id; a key that has ended still gets its due.
  expect(codes(await record(live, { ...free, startsAt: at(10) }))).toEqual([]);
  expect(
    codes(await record(live, { ...free, productKeyId: ended, startsAt: at(44), endsAt: at(46), externalId: 'A' })),
  ).toEqual([]);
  await expect(record(await newSession(api, live, await newCustomer(api, live)), free)).rejects.toThrow('FORBIDDEN');
});

test('what is given back is taken of what was paid for the overlapping periods, in every currency, and never more than that', async () => {
  const penalties = [
    { metric: 'AVAILABILITY', limit: '99', creditBasisPoints: 6_000 },
    { metric: 'AVAILABILITY', limit: '50', creditBasisPoints: 10_000 },
    { metric: 'RESPONSE_TIME', limit: '100', creditAmount: { amount: '25', currencyCode: 'USD' } },
  ];
  const { live, owner, productKeyId, month } = await newKey({
    responseTime: { percentile: '95', thresholdMs: 100 },
    penalties,
  });
  await pay(live, productKeyId, 'p1', { amount: '10.01' });
  await pay(live, productKeyId, 'p2', { amount: '999', currencyCode: 'JPY' });
  await pay(live, productKeyId, 'p3', { amount: '20', periodStart: at(30), periodEnd: at(60) });
  await pay(live, productKeyId, 'p4', { amount: '500', periodStart: at(60), periodEnd: at(90) });
  await pay(live, productKeyId, 'f1', { amount: '70', result: 'FAILED' });
  const credits = async (input: Record<string, unknown>) =>
    (await record(live, { ...month, ...input })).slaBreach.credits.map(text);
  expect(await credits({ endsAt: at(10) })).toEqual(['599 JPY', '6.00 USD']);
  // 60 percent again: what is left of the first period, and the second one's own.
  expect(await credits({ startsAt: at(29), endsAt: at(31) })).toEqual(['400 JPY', '16.01 USD']);
  // 25 USD of the 8 that are left of the second period.
  const slow = { metric: 'RESPONSE_TIME', measured: '101' };
  expect(await credits({ ...slow, endsAt: at(40) })).toEqual(['8.00 USD']);
  expect(await credits({ measured: '1', startsAt: at(12), endsAt: at(13) })).toEqual([]);
  api.setNow(at(70));
  expect(await credits({ ...slow, startsAt: at(61), endsAt: at(62) })).toEqual(['25.00 USD']);
  expect(await balances(live, owner)).toEqual(['55.01 USD', '999 JPY']);
  const { productKey } = await api.data({
    token: live,
    query: `query ($id: ID!) { productKey(id: $id) {
      slaBreaches { totalCount nodes { startsAt } } slow: slaBreaches(where: { metric: { in: [RESPONSE_TIME] }, startsAt: { lt: "${at(50)}" } }) { nodes { startsAt } }
      oldest: slaBreaches(first: 1, orderBy: { direction: ASC }, where: { metric: { in: [AVAILABILITY] } }) { nodes { endsAt } }
      slaCompliance(startsAt: "${at(0)}", endsAt: "${at(30)}") { metric target isMet breachCount worstMeasured credits { amount currencyCode } versions { number } definition { name } }
      next: slaCompliance(startsAt: "${at(30)}", endsAt: "${at(60)}") { metric isMet breachCount worstMeasured credits { amount } }
      before: slaCompliance(startsAt: "${at(-30)}", endsAt: "${at(0)}") { metric } } }`,
    variables: { id: productKeyId },
  });
  expect(productKey).toMatchObject({
    slaBreaches: { totalCount: 5 },
    slow: { nodes: [{ startsAt: at(0) }] },
    oldest: { nodes: [{ endsAt: at(10) }] },
    slaCompliance: [
      {
        ...{ metric: 'AVAILABILITY', target: '99.9', isMet: false, breachCount: 3, worstMeasured: '1' },
        credits: [
          { amount: '999', currencyCode: 'JPY' },
          { amount: '22.01', currencyCode: 'USD' },
        ],
        ...{ versions: [{ number: 1 }], definition: { name: 'Gold' } },
      },
      {
        metric: 'RESPONSE_TIME',
        target: '100',
        isMet: false,
        breachCount: 1,
        worstMeasured: '101',
        credits: [{ amount: '8.00' }],
      },
    ],
    next: [
      { metric: 'AVAILABILITY', isMet: true, breachCount: 0, worstMeasured: null, credits: [] },
      { metric: 'RESPONSE_TIME', isMet: true, breachCount: 0, worstMeasured: null, credits: [] },
    ],
    before: [],
  });
  expect(productKey.slaBreaches.nodes.map(({ startsAt }: any) => startsAt)).toEqual([
    at(61),
    at(29),
    at(12),
    at(0),
    at(0),
  ]);
  const reversed = await api.call({
    token: live,
    query: `{ productKey(id: "${productKeyId}") { slaCompliance(startsAt: "${at(1)}", endsAt: "${at(1)}") { metric } } }`,
  });
  expect(reversed.errors?.[0]?.extensions).toMatchObject({ code: 'BAD_USER_INPUT', argument: 'endsAt' });
  await expectInvariants(api.db);
});

test('what a cancellation gave back was not paid; nothing is given back where nothing was paid in the currency', async () => {
  const penalties = [{ metric: 'AVAILABILITY', limit: '99.9', creditBasisPoints: 10_000 }];
  const { live, owner, productKeyId, month } = await newKey({ penalties }, { allowMidPeriodCancellation: true });
  await pay(live, productKeyId, 'p1', { amount: '30' });
  api.setNow(at(10));
  expect(codes(await callProductKey(api, live, 'cancelProductKey', { productKeyId, at: 'NOW' }))).toEqual([]);
  expect(await balances(live, owner)).toEqual(['20.00 USD']);
  expect((await record(live, { ...month, endsAt: at(10) })).slaBreach.credits.map(text)).toEqual(['10.00 USD']);
  expect(await balances(live, owner)).toEqual(['30.00 USD']);
  // The other way round: breaches gave back half of it, so that no more than the other half is unused.
  const half = { penalties: [{ metric: 'AVAILABILITY', limit: '99.9', creditBasisPoints: 5_000 }] };
  const early = await newKey(half, { allowMidPeriodCancellation: true });
  await pay(early.live, early.productKeyId, 'p1', { amount: '30' });
  api.setNow(at(10));
  expect((await record(early.live, { ...early.month, endsAt: at(5) })).slaBreach.credits.map(text)).toEqual([
    '15.00 USD',
  ]);
  await callProductKey(api, early.live, 'cancelProductKey', { productKeyId: early.productKeyId, at: 'NOW' });
  expect(await balances(early.live, early.owner)).toEqual(['30.00 USD']);
  const last = await record(early.live, { ...early.month, startsAt: at(5), endsAt: at(10) });
  expect([codes(last), last.slaBreach.credits]).toEqual([[], []]);
  const fixed = [{ metric: 'AVAILABILITY', limit: '99.9', creditAmount: { amount: '5', currencyCode: 'EUR' } }];
  const second = await newKey({ penalties: fixed });
  const unpaid = await record(second.live, { ...second.month, endsAt: at(10) });
  expect([unpaid.slaBreach.penalty.creditAmount, unpaid.slaBreach.credits, unpaid.ledgerEntries]).toEqual([
    ...[{ amount: '5.00', currencyCode: 'EUR' }, [], []],
  ]);
  await pay(second.live, second.productKeyId, 'p1');
  expect((await record(second.live, { ...second.month, startsAt: at(10) })).slaBreach.credits).toEqual([]);
  expect(await balances(second.live, second.owner)).toEqual([]);
});

test('a payment that is told after the breach gives back its part then, once, and no more than is owed and was paid', async () => {
  const penalties = [
    { metric: 'AVAILABILITY', limit: '99', creditBasisPoints: 6_000 },
    { metric: 'RESPONSE_TIME', limit: '100', creditAmount: { amount: '25', currencyCode: 'USD' } },
  ];
  const sla = { responseTime: { percentile: '95', thresholdMs: 100 }, penalties };
  const { live, owner, productKeyId, month } = await newKey(sla);
  const unpaid = await record(live, { ...month, endsAt: at(10) });
  const unpunished = await record(live, { ...month, measured: '99.5', startsAt: at(12), endsAt: at(13) });
  expect([unpaid.slaBreach.credits, unpaid.ledgerEntries]).toEqual([[], []]);
  await pay(live, productKeyId, 'f', { result: 'FAILED' });
  await pay(live, productKeyId, 'next', { periodStart: at(30), periodEnd: at(60) });
  expect(await balances(live, owner)).toEqual([]);
  const first = await pay(live, productKeyId, 'p1', { amount: '10.01' });
  expect([codes(first), await balances(live, owner)]).toEqual([[], ['6.00 USD']]);
  expect(codes(await pay(live, productKeyId, 'p1', { amount: '10.01' }))).toEqual([]);
  await pay(live, productKeyId, 'p2', { amount: '5' });
  expect(await balances(live, owner)).toEqual(['9.00 USD']);
  // An amount of 25: what is left of the first two and of the next period's, then of what is told later.
  const slow = await record(live, { ...month, metric: 'RESPONSE_TIME', measured: '101' });
  expect(slow.slaBreach.credits.map(text)).toEqual(['6.01 USD']);
  await pay(live, productKeyId, 'p3', { amount: '20' });
  await pay(live, productKeyId, 'p4', { amount: '999', currencyCode: 'JPY' });
  await pay(live, productKeyId, 'p5', { amount: '40' });
  const { productKey } = await api.data({
    token: live,
    query: `query ($id: ID!) { productKey(id: $id) { slaBreaches(orderBy: { direction: ASC }) { nodes { metric credits { amount currencyCode } ledgerEntries { amount { amount } } } } } }`,
    variables: { id: productKeyId },
  });
  // 60 percent of all five; 25 dollars of what those leave.
  expect(
    productKey.slaBreaches.nodes.map(({ metric, credits, ledgerEntries }: any) => [
      metric,
      credits.map(text),
      ledgerEntries.length,
    ]),
  ).toEqual([
    ['AVAILABILITY', ['599 JPY', '45.00 USD'], 5],
    ['RESPONSE_TIME', ['25.00 USD'], 3],
    ['AVAILABILITY', [], 0],
  ]);
  const changes = await changesOf(api, unpaid.slaBreach.id);
  expect(changes[1]?.after).toEqual({ paymentId: expect.any(String), currency: 'USD', amountMinor: '600' });
  expect(changes.map(({ type, sequence }) => [type, sequence])).toEqual([
    ['sla.breached', 1],
    ...[2, 3, 4, 5, 6].map((sequence) => ['sla.credited', sequence]),
  ]);
  expect((await changesOf(api, unpunished.slaBreach.id)).length).toBe(1);
  await expectInvariants(api.db);
});

test('an end that was scheduled gives nothing back: all that was paid later for a time beyond it counts as paid', async () => {
  const penalties = [{ metric: 'AVAILABILITY', limit: '99.9', creditBasisPoints: 10_000 }];
  const { live, owner, productKeyId, month } = await newKey({ penalties });
  api.setNow(at(10));
  await pay(live, productKeyId, 'p1', { amount: '30' });
  expect(codes(await callProductKey(api, live, 'cancelProductKey', { productKeyId }))).toEqual([]);
  await pay(live, productKeyId, 'p2', { amount: '20', periodStart: at(20), periodEnd: at(40) });
  api.setNow(at(50));
  const { slaBreach } = await record(live, { ...month, startsAt: at(25), endsAt: at(26) });
  expect([slaBreach.credits.map(text), await balances(live, owner)]).toEqual([['50.00 USD'], ['50.00 USD']]);
});

test('a payment that comes after many breaches gives back in as many statements as after one, in one entry that leads to them', async () => {
  const penalties = [{ metric: 'AVAILABILITY', limit: '99', creditBasisPoints: 100 }];
  const counts = [];
  for (const many of [2, 12]) {
    const { live, owner, productKeyId, month } = await newKey({ penalties });
    for (let i = 0; i < many; i++) await record(live, { ...month, startsAt: at(i), endsAt: at(i + 1) });
    counts.push(await api.countStatements(() => pay(live, productKeyId, 'p', { amount: '100' })));
    expect(await balances(live, owner)).toEqual([`${many}.00 USD`]);
    const { productKey } = await api.data({
      token: live,
      query: `query ($id: ID!) { productKey(id: $id) { slaBreaches(first: 50) { nodes { id credits { amount }
        ledgerEntries { amount { amount } transaction { slaBreaches { id } } } } } } }`,
      variables: { id: productKeyId },
    });
    const { nodes } = productKey.slaBreaches;
    const ids = nodes.map(({ id }: any) => id).sort();
    expect(ids.length).toBe(many);
    for (const { credits, ledgerEntries } of nodes) {
      expect([credits, ledgerEntries.length]).toEqual([[{ amount: '1.00' }], 1]);
      const [{ amount, transaction }] = ledgerEntries;
      expect([amount.amount, transaction.slaBreaches.map(({ id }: any) => id).sort()]).toEqual([`${many}.00`, ids]);
    }
  }
  expect(counts[1]).toBe(counts[0]);
  await expectInvariants(api.db);
});

test('where the wallet cannot hold it, nothing is recorded: neither a breach nor a payment that would give back', async () => {
  const { id, live, productKeyId, owner, month } = await newKey();
  await pay(live, productKeyId, 'p1');
  await record(live, { ...month, endsAt: at(10) });
  await fill(id, owner, 2n ** 53n - 750n - 749n);
  const before = await slaRows(api);
  const full = ['BALANCE_LIMIT_EXCEEDED productKeyId'];
  expect(errorsOf(await record(live, { ...month, startsAt: at(10) }))).toEqual(full);
  expect(errorsOf(await pay(live, productKeyId, 'p2'))).toEqual(full);
  expect(await slaRows(api)).toBe(before);
  const less = await record(live, { ...month, measured: '99.5', startsAt: at(10) });
  expect(less.slaBreach.credits.map(text)).toEqual(['1.50 USD']);
  await expectInvariants(api.db);
});

/** Puts minor units into a customer's only wallet, more at once than the API takes, by the step itself. */
async function fill(business: string, owner: string, amount: bigint): Promise<void> {
  const [wallet] = await api.db.sql<{ id: string }>(null, 'SELECT id FROM wallets WHERE customer_id = $1', [
    rowId(owner),
  ]);
  const viewer = { principal: 'SYSTEM', businessId: rowId(business), mode: 'LIVE', brandId: null };
  const ctx = { db: api.db, viewer, now: new Date(at(40)), requestId: 'test', actor: null, idempotency: null };
  await inSqlTransaction(ctx as unknown as RequestContext, async (tx) => {
    const why = { kind: 'CREDIT', reason: null, reference: null, orderId: null } as const;
    const where = { walletId: wallet?.id as string, currency: 'USD' };
    await payIntoWallet(tx, 'IN', { ...where, amount, transactionId: newId(), ...why }, []);
    return {};
  });
}

test('payments and breaches at once: whatever comes first, all of what was paid comes back once', async () => {
  const { live, owner, productKeyId, month } = await newKey({
    penalties: [{ metric: 'AVAILABILITY', limit: '99', creditBasisPoints: 4_000 }],
  });
  const made = await Promise.all(
    Array.from({ length: 12 }, (_, i) =>
      i % 3 === 0
        ? record(live, { ...month, startsAt: at(i), endsAt: at(i + 1) })
        : pay(live, productKeyId, `p${i}`, { amount: '10.01' }),
    ),
  );
  expect(made.flatMap(codes)).toEqual([]);
  expect(await balances(live, owner)).toEqual(['80.08 USD']);
  await expectInvariants(api.db);
});

test('told fifty times at once, a breach gives back once; of many on one payment no more than was paid comes back', async () => {
  const { live, owner, productKeyId, month } = await newKey({
    supportHours: { firstResponseMinutes: 10 },
    penalties: [
      { metric: 'AVAILABILITY', limit: '99', creditBasisPoints: 100 },
      { metric: 'SUPPORT_HOURS', limit: '10', creditBasisPoints: 900 },
    ],
  });
  await pay(live, productKeyId, 'p1', { amount: '10.00' });
  const told = await Promise.all(
    Array.from({ length: 50 }, (_, i) =>
      record(live, { ...month, ...[{}, { externalId: 'INC' }, { idempotencyKey: 'once' }][i % 3] }),
    ),
  );
  const first = new Set(told.flatMap(({ slaBreach }) => (slaBreach ? [slaBreach.id] : [])));
  expect([first.size, new Set(told.flatMap(codes))]).toEqual([1, new Set(['SLA_BREACH_OVERLAPS'])]);
  expect(await balances(live, owner)).toEqual(['0.10 USD']);
  const late = { ...month, metric: 'SUPPORT_HOURS', measured: '11' };
  const many = await Promise.all(
    Array.from({ length: 30 }, (_, i) => record(live, { ...late, externalId: `T-${i % 15}` })),
  );
  expect(many.flatMap(codes)).toEqual([]);
  expect(new Set(many.map(({ slaBreach }) => slaBreach.id)).size).toBe(15);
  expect(await balances(live, owner)).toEqual(['10.00 USD']);
  const given = new Map(many.map(({ slaBreach }) => [slaBreach.id, slaBreach.credits.map(text)[0] ?? 'none']));
  expect([...given.values()].sort()).toEqual([...Array(11).fill('0.90 USD'), ...Array(4).fill('none')]);
  await expectInvariants(api.db);
});

test('the owner sees its breaches and what they gave back, without the note; strangers see nothing', async () => {
  const { live, owner, productKeyId, month } = await newKey();
  await pay(live, productKeyId, 'p1');
  const { slaBreach } = await record(live, { ...month, note: 'between us' });
  const stranger = await newCustomer(api, live);
  const query = `query ($id: ID!, $breach: ID!) { productKey(id: $id) { slas { definition { name } } slaBreaches { nodes { id note credits { amount } ledgerEntries { id } } }
    slaCompliance(startsAt: "${at(0)}", endsAt: "${at(30)}") { isMet } } node(id: $breach) { ... on SlaBreach { metric } } }`;
  const variables = { id: productKeyId, breach: slaBreach.id };
  const own = await api.call({ token: await newSession(api, live, owner), query, variables });
  expect(own.data).toEqual({
    productKey: {
      slas: [{ definition: { name: 'Gold' } }],
      slaBreaches: {
        nodes: [
          { id: slaBreach.id, note: null, credits: [{ amount: '7.50' }], ledgerEntries: [{ id: expect.any(String) }] },
        ],
      },
      slaCompliance: [{ isMet: false }],
    },
    node: { metric: 'AVAILABILITY' },
  });
  expect(own.errors?.map(({ path }) => path?.at(-1))).toEqual(['note']);
  const foreign = await api.call({ token: await newSession(api, live, stranger), query, variables });
  expect(foreign.data).toEqual({ productKey: null, node: null });
});

test('an erasure takes what was typed, and leaves figures and credits', async () => {
  const { live, owner, productKeyId, month } = await newKey({ supportHours: { firstResponseMinutes: 10 } });
  await pay(live, productKeyId, 'p1');
  const { slaBreach } = await record(live, { ...month, note: 'Wobblefrost called', externalId: 'Wobblefrost-7' });
  const ticket = { ...month, metric: 'SUPPORT_HOURS', measured: '11', externalId: 'T' };
  const waited = await record(live, ticket);
  const words = () =>
    api.db.sql(
      null,
      `SELECT id FROM sla_breaches b WHERE b::text ILIKE '%wobble%'
      UNION ALL SELECT id FROM changes c WHERE c::text ILIKE '%wobble%' UNION ALL SELECT id FROM ledger_transactions l WHERE l::text ILIKE '%wobble%'`,
      [],
    );
  expect((await words()).length).toBe(2);
  const erased = await callSla(api, live, 'eraseCustomer', { customerId: owner }, 'customer { id }');
  expect([codes(erased), await words()]).toEqual([[], []]);
  const { node } = await api.data({
    token: live,
    query: 'query ($id: ID!) { node(id: $id) { ... on SlaBreach { measured note externalId credits { amount } } } }',
    variables: { id: slaBreach.id },
  });
  expect(node).toEqual({ measured: '98.5', note: null, externalId: null, credits: [{ amount: '7.50' }] });
  // Tickets that are told all over again are known, though their ids are gone.
  expect((await record(live, ticket)).slaBreach.id).toBe(waited.slaBreach.id);
  expect((await record(live, { ...ticket, externalId: 'U', measured: '12' })).slaBreach.id).not.toBe(
    waited.slaBreach.id,
  );
  const next = { ...month, startsAt: at(30), endsAt: at(31) };
  expect(errorsOf(await record(live, { ...next, note: 'Again' }))).toEqual(['CUSTOMER_ERASED note']);
  expect(codes(await record(live, next))).toEqual([]);
});

test('shares: exact, never above what is left, and all together never above what was paid', () => {
  const periods = fc.array(fc.record({ paid: fc.bigInt(0n, 2n ** 53n), currency: fc.constantFrom('USD', 'EUR') }), {
    minLength: 1,
    maxLength: 4,
  });
  const part = fc.record({
    basisPoints: fc.integer({ min: 1, max: 10_000 }),
    amountMinor: fc.constant(null),
    currency: fc.constant(null),
  });
  const amount = fc.record({
    basisPoints: fc.constant(null),
    amountMinor: fc.bigInt(1n, 2n ** 53n).map(String),
    currency: fc.constantFrom('USD', 'EUR', 'JPY'),
  });
  fc.assert(
    fc.property(periods, fc.array(fc.oneof(part, amount), { maxLength: 12 }), (paid, penalties) => {
      let state = paid.map(({ paid: paidMinor, currency }, i) => ({
        paymentId: `p${i}`,
        currency,
        paidMinor,
        creditedMinor: 0n,
      }));
      for (const penalty of penalties) {
        const shares = sharesOf(penalty, state);
        const leftIn = (currency: string | null) =>
          state
            .filter((one) => one.currency === currency)
            .reduce((sum, one) => sum + one.paidMinor - one.creditedMinor, 0n);
        if (penalty.basisPoints === null) {
          const owed = BigInt(penalty.amountMinor);
          const left = leftIn(penalty.currency);
          // As it is, where so much is left.
          expect(totalsOf(shares)).toEqual(new Map(left === 0n ? [] : [[penalty.currency, owed < left ? owed : left]]));
        }
        for (const one of state) {
          const share = shares.find(({ paymentId }) => paymentId === one.paymentId)?.amountMinor ?? 0n;
          const left = one.paidMinor - one.creditedMinor;
          expect(share <= left).toBe(true);
          if (penalty.basisPoints !== null && share < left) {
            // Rounded down to the unit, and to nothing else.
            const exact = one.paidMinor * BigInt(penalty.basisPoints);
            expect(share * 10_000n <= exact && exact < (share + 1n) * 10_000n).toBe(true);
          }
        }
        expect(shares.every(({ amountMinor }) => amountMinor > 0n)).toBe(true);
        state = state.map((one) => ({
          ...one,
          creditedMinor:
            one.creditedMinor + (shares.find(({ paymentId }) => paymentId === one.paymentId)?.amountMinor ?? 0n),
        }));
      }
      expect(state.every(({ creditedMinor, paidMinor }) => creditedMinor <= paidMinor)).toBe(true);
    }),
    { numRuns: process.env.DEEP ? 5_000 : 300 },
  );
  const over = { paymentId: 'p', currency: 'USD', paidMinor: 10n, creditedMinor: 12n };
  expect(sharesOf({ basisPoints: 10_000, amountMinor: null, currency: null }, [over])).toEqual([]);
});
