import { beforeAll, expect, test } from '@jest/globals';
import { useApi } from '../support/api.js';
import { newApiKey, newBusiness, newCustomer, newSession, type TestBusiness } from '../support/business.js';
import { changesOf } from '../support/licenses.js';
import { callPricing, newPricingRule } from '../support/pricing.js';

const api = useApi();
let business: TestBusiness;

beforeAll(async () => {
  api.setNow('2026-03-10T10:00:00.000Z');
  business = await newBusiness(api);
});

type Fields = Record<string, unknown>;

const terms = `name description currencyCode model appliesTo amount { amount minorUnits } unitPrice
  tiers { upTo unitPrice flatAmount { amount currencyCode } }`;
const fields = `pricingRule { id ${terms} testMode archivedAt version createdAt updatedAt versions { version createdAt ${terms} } }`;

const call = (name: string, input: Fields, token = business.live) => callPricing(api, token, name, input, fields);
const create = (input: Fields) =>
  call('createPricingRule', { name: 'Calls', currencyCode: 'USD', model: 'PER_UNIT', ...input });
const told = ({ userErrors }: any) => userErrors.map(({ code, path }: any) => `${code} ${path.slice(1).join('.')}`);
const rules = () => api.db.sql(null, 'SELECT * FROM pricing_rules ORDER BY id', []);
const versions = () => api.db.sql(null, 'SELECT * FROM pricing_rule_versions ORDER BY pricing_rule_id, version', []);

const perUnit = { amount: null, unitPrice: '0.000000000001', tiers: [] };

test('createPricingRule gives back every field, in its first version too', async () => {
  const { pricingRule, userErrors } = await create({
    name: ' Calls ',
    description: ' Each call ',
    unitPrice: '0.000000000001',
    appliesTo: 'OVERAGE',
  });
  const said = {
    name: 'Calls',
    description: 'Each call',
    currencyCode: 'USD',
    model: 'PER_UNIT',
    appliesTo: 'OVERAGE',
  };
  const createdAt = '2026-03-10T10:00:00.000Z';
  expect([pricingRule, userErrors]).toEqual([
    {
      id: expect.stringMatching(/^prule_/),
      ...said,
      ...perUnit,
      testMode: false,
      archivedAt: null,
      version: 1,
      createdAt,
      updatedAt: createdAt,
      versions: [{ version: 1, createdAt, ...said, ...perUnit }],
    },
    [],
  ]);
  const tiered = await create({
    currencyCode: 'JPY',
    model: 'TIERED',
    tiers: [{ upTo: '10', unitPrice: '1.50', flatAmount: '7' }, { unitPrice: 0 }],
  });
  expect(tiered.pricingRule).toMatchObject({
    appliesTo: 'USAGE',
    tiers: [
      { upTo: '10', unitPrice: '1.5', flatAmount: { amount: '7', currencyCode: 'JPY' } },
      { upTo: null, unitPrice: '0', flatAmount: { amount: '0', currencyCode: 'JPY' } },
    ],
  });
  const flat = await create({ currencyCode: 'KWD', model: 'FLAT', amount: '9.999' });
  expect(flat.pricingRule.amount).toEqual({ amount: '9.999', minorUnits: '9999' });
  const { pricingRules } = await api.data({
    token: business.live,
    query: `{ pricingRules(search: "ALL", where: { model: { in: [FLAT, TIERED] }, currencyCode: { in: [KWD] } }) { totalCount nodes { id } } }`,
  });
  expect(pricingRules).toEqual({ totalCount: 1, nodes: [{ id: flat.pricingRule.id }] });
});

const tier = (upTo: number | null, unitPrice = '1', flatAmount = '0') => ({ upTo, unitPrice, flatAmount });

test('createPricingRule tells all that is wrong at once, and creates nothing', async () => {
  const before = [await rules(), await versions()];
  const long = 'x'.repeat(256);
  const cases: [Fields, string[]][] = [
    [{}, ['INVALID_INPUT unitPrice']],
    [{ name: long, currencyCode: 'XXX', unitPrice: '1' }, ['INVALID_INPUT name', 'INVALID_CURRENCY currencyCode']],
    [
      { name: ' ', description: 'x'.repeat(2001), unitPrice: '-1' },
      ['INVALID_INPUT name', 'INVALID_INPUT description', 'INVALID_INPUT unitPrice'],
    ],
    [{ unitPrice: '0.0000000000001' }, ['INVALID_INPUT unitPrice']],
    [{ unitPrice: '2147483647.1' }, ['INVALID_INPUT unitPrice']],
    [{ unitPrice: '1', amount: '1', tiers: [tier(null)] }, ['INVALID_INPUT amount', 'INVALID_INPUT tiers']],
    [{ model: 'FLAT' }, ['INVALID_INPUT amount']],
    [{ model: 'FLAT', amount: '1', appliesTo: 'OVERAGE' }, ['INVALID_INPUT appliesTo']],
    [{ model: 'FLAT', amount: '1.001' }, ['INVALID_AMOUNT amount']],
    [{ model: 'FLAT', amount: '-1' }, ['INVALID_AMOUNT amount']],
    [{ model: 'FLAT', amount: '2147483648', unitPrice: '1' }, ['INVALID_AMOUNT amount', 'INVALID_INPUT unitPrice']],
    [{ model: 'FLAT', amount: '1.5', currencyCode: 'JPY' }, ['INVALID_AMOUNT amount']],
    [{ model: 'TIERED' }, ['INVALID_INPUT tiers']],
    [{ model: 'VOLUME', tiers: [] }, ['INVALID_INPUT tiers']],
    [
      { model: 'VOLUME', tiers: Array.from({ length: 51 }, (_, i) => tier(i === 50 ? null : i + 1)) },
      ['INVALID_INPUT tiers'],
    ],
    [{ model: 'VOLUME', tiers: [tier(10)] }, ['INVALID_INPUT tiers.0.upTo']],
    [{ model: 'VOLUME', tiers: [tier(null), tier(null)] }, ['INVALID_INPUT tiers.0.upTo']],
    [
      { model: 'TIERED', tiers: [tier(0), tier(10), tier(10), tier(9), tier(null)] },
      ['INVALID_INPUT tiers.0.upTo', 'INVALID_INPUT tiers.2.upTo', 'INVALID_INPUT tiers.3.upTo'],
    ],
    [
      { model: 'TIERED', tiers: [tier(5, '-1', '0.001'), tier(null, '1', '-1')] },
      ['INVALID_INPUT tiers.0.unitPrice', 'INVALID_AMOUNT tiers.0.flatAmount', 'INVALID_AMOUNT tiers.1.flatAmount'],
    ],
  ];
  for (const [input, expected] of cases) expect([input, told(await create(input))]).toEqual([input, expected]);
  expect([await rules(), await versions()]).toEqual(before);
});

test('updatePricingRule makes a version of what differs; what was stays', async () => {
  const { pricingRule: first } = await create({ unitPrice: '1', description: 'Old' });
  const id = { pricingRuleId: first.id };
  expect((await call('updatePricingRule', { ...id, unitPrice: '1.0' })).pricingRule).toEqual(first);
  api.setNow('2026-03-11T10:00:00.000Z');
  const next = (
    await call('updatePricingRule', {
      ...id,
      name: 'Tiers',
      description: null,
      model: 'TIERED',
      tiers: [tier(5), tier(null)],
      expectedVersion: 1,
    })
  ).pricingRule;
  expect(next).toMatchObject({
    version: 2,
    name: 'Tiers',
    description: null,
    model: 'TIERED',
    unitPrice: null,
    updatedAt: '2026-03-11T10:00:00.000Z',
  });
  expect(next.versions[1]).toEqual(first.versions[0]);
  expect(next.versions[0]).toMatchObject({
    version: 2,
    name: 'Tiers',
    tiers: next.tiers,
    createdAt: '2026-03-11T10:00:00.000Z',
  });
  // Tiers that are the same in other words are no change.
  expect((await call('updatePricingRule', { ...id, tiers: [tier(5, '1.00'), tier(null)] })).pricingRule).toEqual(next);
  const flat = (await call('updatePricingRule', { ...id, model: 'FLAT', amount: 5 })).pricingRule;
  expect([flat.version, flat.amount.amount, flat.tiers, flat.appliesTo]).toEqual([3, '5.00', [], 'USAGE']);
  expect((await changesOf(api, first.id)).map(({ type, sequence }) => [type, sequence])).toEqual([
    ['pricing_rule.created', 1],
    ['pricing_rule.updated', 2],
    ['pricing_rule.updated', 3],
  ]);
  await expect(api.db.writer.pool.query("UPDATE pricing_rule_versions SET name = 'x'")).rejects.toThrow();
  api.setNow('2026-03-10T10:00:00.000Z');
});

test('what cannot be changed is refused, and nothing changes; archived rules change no more', async () => {
  const { pricingRule } = await create({ unitPrice: '1' });
  const id = { pricingRuleId: pricingRule.id };
  const elsewhere = await newPricingRule(api, business.test);
  const foreign = await newPricingRule(api, (await newBusiness(api)).live);
  const before = [await rules(), await versions()];
  const cases: [Fields, string[]][] = [
    [
      { ...id, name: null, model: null, appliesTo: null },
      ['INVALID_INPUT name', 'INVALID_INPUT model', 'INVALID_INPUT appliesTo'],
    ],
    [{ ...id, model: 'FLAT' }, ['INVALID_INPUT amount']],
    [{ ...id, model: 'VOLUME', unitPrice: '2', tiers: [tier(null)] }, ['INVALID_INPUT unitPrice']],
    [{ ...id, amount: '1' }, ['INVALID_INPUT amount']],
    [{ ...id, unitPrice: null }, ['INVALID_INPUT unitPrice']],
    [{ ...id, name: 'Other', expectedVersion: 7 }, ['STALE_OBJECT expectedVersion']],
    [{ pricingRuleId: foreign, name: 'Mine' }, ['PRICING_RULE_NOT_FOUND pricingRuleId']],
    [{ pricingRuleId: 'nothing', name: 'Mine' }, ['PRICING_RULE_NOT_FOUND pricingRuleId']],
    [{ pricingRuleId: elsewhere, name: 'Mine' }, ['MODE_MISMATCH pricingRuleId']],
  ];
  for (const [input, expected] of cases) {
    expect([input, told(await call('updatePricingRule', input))]).toEqual([input, expected]);
  }
  for (const [input, expected] of [
    [{ pricingRuleId: foreign }, ['PRICING_RULE_NOT_FOUND pricingRuleId']],
    [{ pricingRuleId: elsewhere }, ['MODE_MISMATCH pricingRuleId']],
    [{ ...id, expectedVersion: 7 }, ['STALE_OBJECT expectedVersion']],
  ] as const) {
    expect(told(await call('archivePricingRule', input))).toEqual(expected);
  }
  expect([await rules(), await versions()]).toEqual(before);
  const archived = (await call('archivePricingRule', { ...id, expectedVersion: 1 })).pricingRule;
  expect(archived).toEqual({ ...pricingRule, archivedAt: '2026-03-10T10:00:00.000Z', version: 2 });
  expect((await call('archivePricingRule', { ...id, expectedVersion: 1 })).pricingRule).toEqual(archived);
  expect(told(await call('updatePricingRule', { ...id, name: 'Other' }))).toEqual([
    'PRICING_RULE_ARCHIVED pricingRuleId',
  ]);
  const query = `query ($id: ID!) { open: pricingRules(where: { id: { in: [$id] } }) { nodes { id } }
    archived: pricingRules(where: { id: { in: [$id] }, isArchived: true }) { nodes { id } } }`;
  expect(await api.data({ token: business.live, query, variables: { id: pricingRule.id } })).toEqual({
    open: { nodes: [] },
    archived: { nodes: [{ id: pricingRule.id }] },
  });
});

test('of many at once, each update is a version; one create under one key, one archive', async () => {
  const made = await Promise.all(Array.from({ length: 8 }, () => create({ unitPrice: '1', idempotencyKey: 'once' })));
  const [id] = new Set(made.map(({ pricingRule }) => pricingRule.id));
  expect(new Set(made.map(({ pricingRule }) => pricingRule.id)).size).toBe(1);
  const input = (unitPrice: string) => ({ pricingRuleId: id, unitPrice, expectedVersion: 1 });
  const stale = await Promise.all(['2', '3', '4', '5'].map((price) => call('updatePricingRule', input(price))));
  expect(stale.flatMap(told)).toEqual(Array(3).fill('STALE_OBJECT expectedVersion'));
  await Promise.all(
    ['6', '7', '8', '9'].map((unitPrice) => call('updatePricingRule', { pricingRuleId: id, unitPrice })),
  );
  const [last] = await Promise.all(Array.from({ length: 4 }, () => call('archivePricingRule', { pricingRuleId: id })));
  expect([last.pricingRule.version, last.pricingRule.versions.map(({ version }: any) => version)]).toEqual([
    7,
    [6, 5, 4, 3, 2, 1],
  ]);
  expect((await changesOf(api, id as string)).map(({ sequence }) => sequence)).toEqual([1, 2, 3, 4, 5, 6, 7]);
});

test('only an API key with the scope changes rules, and with the other one reads them; a session does neither', async () => {
  const id = await newPricingRule(api, business.live);
  const session = await newSession(api, business.live, await newCustomer(api, business.live));
  const reader = await newApiKey(api, business.live, ['PRODUCT_KEYS_READ']);
  const writer = await newApiKey(api, business.live, ['PRODUCT_KEYS_WRITE']);
  const outcome = async (token: string, query: string) => {
    const answer = await api.call({ token, query, variables: { id } });
    return answer.errors?.[0]?.extensions.code ?? 'done';
  };
  const update =
    'mutation ($id: ID!) { updatePricingRule(input: { pricingRuleId: $id, name: "New" }) { userErrors { code } } }';
  const read = 'query ($id: ID!) { pricingRule(id: $id) { id } }';
  const outcomes = await Promise.all(
    [session, reader, writer].flatMap((token) => [outcome(token, update), outcome(token, read)]),
  );
  expect(outcomes).toEqual(['FORBIDDEN', 'FORBIDDEN', 'FORBIDDEN', 'done', 'done', 'FORBIDDEN']);
});
