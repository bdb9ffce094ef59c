import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { decimalOf, millionthsOf } from '../../src/slaDefinitions/measure.js';
import { deservedPenalty, type Penalty } from '../../src/slaDefinitions/terms.js';
import { useApi } from '../support/api.js';
import { newApiKey, newBusiness, newCustomer, newSession } from '../support/business.js';
import { changesOf } from '../support/licenses.js';
import { callSla, gold, newSlaDefinition, slaDefinitionFields, slaVersionFields, slaRows } from '../support/sla.js';

const api = useApi();
const day = (n: number) => new Date(Date.parse('2026-03-01T00:00:00Z') + n * 86_400_000).toISOString();
const call = (token: string, name: string, input: Record<string, unknown>) =>
  callSla(api, token, name, input, `slaDefinition { ${slaDefinitionFields} }`);
const errorsOf = ({ userErrors }: any) =>
  userErrors.map(({ code, path }: any) => `${code} ${path.slice(1).join('.')}`).sort();

const full = {
  name: '  Gold  ',
  description: 'What we promise to our best customers',
  availability: { targetPercent: '99.950' },
  responseTime: { percentile: '99.9', thresholdMs: 250 },
  supportHours: {
    timeZone: 'europe/BERLIN',
    days: ['FRIDAY', 'MONDAY'],
    from: '09:00',
    until: '24:00',
    firstResponseMinutes: 60,
  },
  penalties: [
    { metric: 'SUPPORT_HOURS', limit: '60', creditAmount: { amount: '5', currencyCode: 'USD' } },
    { metric: 'AVAILABILITY', limit: '99', creditBasisPoints: 1_000 },
    { metric: 'AVAILABILITY', limit: '99.9', creditBasisPoints: 500 },
  ],
  metadata: { tier: 1 },
};

test('a definition is created with everything that it says, at its first version', async () => {
  api.setNow(day(0));
  const { test: token } = await newBusiness(api);
  const { slaDefinition, userErrors } = await call(token, 'createSlaDefinition', full);
  expect(userErrors).toEqual([]);
  expect(slaDefinition).toEqual({
    id: expect.stringMatching(/^sla_/),
    name: 'Gold',
    description: full.description,
    currentVersion: {
      id: expect.stringMatching(/^slaver_/),
      number: 1,
      name: 'Gold',
      description: full.description,
      availability: { targetPercent: '99.95' },
      responseTime: { percentile: '99.9', thresholdMs: 250 },
      supportHours: {
        isAroundTheClock: false,
        timeZone: 'Europe/Berlin',
        days: ['MONDAY', 'FRIDAY'],
        from: '09:00',
        until: '24:00',
        firstResponseMinutes: 60,
      },
      penalties: [
        ...[['SUPPORT_HOURS', '60', null, { amount: '5.00', currencyCode: 'USD' }]],
        ...[['AVAILABILITY', '99', 1_000, null] as const, ['AVAILABILITY', '99.9', 500, null] as const],
      ].map(([metric, limit, creditBasisPoints, creditAmount]) => ({ metric, limit, creditBasisPoints, creditAmount })),
      createdAt: day(0),
    },
    metadata: { tier: 1 },
    testMode: true,
    archivedAt: null,
    version: 1,
    createdAt: day(0),
    updatedAt: day(0),
  });
  expect((await changesOf(api, slaDefinition.id)).map(({ type }) => type)).toEqual(['sla_definition.created']);
  const least = await call(token, 'createSlaDefinition', { name: 'S', supportHours: { firstResponseMinutes: 1 } });
  expect(least.slaDefinition.currentVersion).toMatchObject({
    availability: null,
    responseTime: null,
    supportHours: {
      isAroundTheClock: true,
      timeZone: null,
      days: [],
      from: null,
      until: null,
      firstResponseMinutes: 1,
    },
    penalties: [],
  });
  const node = await api.data({
    token,
    query: 'query ($id: ID!) { node(id: $id) { ... on SlaDefinitionVersion { number definition { id } } } }',
    variables: { id: slaDefinition.currentVersion.id },
  });
  expect(node.node).toEqual({ number: 1, definition: { id: slaDefinition.id } });
  api.setNow(null);
});

test('what is wrong with the fields is told all at once, each where it stands, and nothing is made', async () => {
  const { live } = await newBusiness(api);
  const hours = full.supportHours;
  const of = (metric: string, limit: string, credit: object = { creditBasisPoints: 100 }) => ({
    metric,
    limit,
    ...credit,
  });
  const usd = (amount: string, currencyCode = 'USD') => ({ creditAmount: { amount, currencyCode } });
  const up = (...penalties: object[]) => ({ name: 'S', availability: { targetPercent: '99' }, penalties });
  const rows: [Record<string, unknown>, string[]][] = [
    [{ name: 'S' }, ['INVALID_INPUT availability']],
    [{ ...full, name: ' ', description: 'x'.repeat(2_001) }, ['INVALID_INPUT description', 'INVALID_INPUT name']],
    [{ ...full, metadata: { ['k'.repeat(41)]: 1 } }, [`INVALID_INPUT metadata.${'k'.repeat(41)}`]],
    ...['0', '100.001', '99.9999', '-1'].map((targetPercent): [Record<string, unknown>, string[]] => [
      { name: 'S', availability: { targetPercent } },
      ['INVALID_INPUT availability.targetPercent'],
    ]),
    [
      { name: 'S', responseTime: { percentile: '101', thresholdMs: 0 } },
      ['INVALID_INPUT responseTime.percentile', 'INVALID_INPUT responseTime.thresholdMs'],
    ],
    [
      { name: 'S', supportHours: { ...hours, timeZone: null, from: ' ', firstResponseMinutes: 0 } },
      ['firstResponseMinutes', 'from', 'timeZone'].map((field) => `INVALID_INPUT supportHours.${field}`),
    ],
    [
      { name: 'S', supportHours: { ...hours, days: [], until: null } },
      ['days', 'until'].map((field) => `INVALID_INPUT supportHours.${field}`),
    ],
    [
      {
        name: 'S',
        supportHours: { ...hours, timeZone: '+01:00', days: ['MONDAY', 'MONDAY'], from: '24:00', until: '9:00' },
      },
      ['days.1', 'from', 'timeZone', 'until'].map((field) => `INVALID_INPUT supportHours.${field}`),
    ],
    [{ name: 'S', supportHours: { ...hours, timeZone: 'Europe/Atlantis' } }, ['INVALID_INPUT supportHours.timeZone']],
    [{ name: 'S', supportHours: { ...hours, from: '17:30', until: '17:30' } }, ['INVALID_INPUT supportHours.until']],
    [
      { name: 'S', supportHours: { ...hours, from: '08:60', until: '24:01' } },
      ['from', 'until'].map((f) => `INVALID_INPUT supportHours.${f}`),
    ],
    [up(of('RESPONSE_TIME', '300')), ['INVALID_INPUT penalties.0.metric']],
    [up(of('AVAILABILITY', '99.1')), ['INVALID_INPUT penalties.0.limit']],
    [
      up(of('AVAILABILITY', '0'), of('SUPPORT_HOURS', '1.5')),
      ['INVALID_INPUT penalties.0.limit', 'INVALID_INPUT penalties.1.limit'],
    ],
    [up(of('AVAILABILITY', '98'), of('AVAILABILITY', '98.0')), ['INVALID_INPUT penalties.1.limit']],
    [up(of('AVAILABILITY', '98', {})), ['INVALID_INPUT penalties.0.creditBasisPoints']],
    [
      up(of('AVAILABILITY', '98', { creditBasisPoints: 1, ...usd('1') })),
      ['INVALID_INPUT penalties.0.creditBasisPoints'],
    ],
    [up(of('AVAILABILITY', '98', { creditBasisPoints: 10_001 })), ['INVALID_INPUT penalties.0.creditBasisPoints']],
    [
      up(of('AVAILABILITY', '98', usd('0')), of('AVAILABILITY', '97', usd('1.001'))),
      ['INVALID_AMOUNT penalties.0.creditAmount.amount', 'INVALID_AMOUNT penalties.1.creditAmount.amount'],
    ],
    [up(of('AVAILABILITY', '98', usd('1', 'XYZ'))), ['INVALID_CURRENCY penalties.0.creditAmount.currencyCode']],
    [up(of('AVAILABILITY', '98'), of('AVAILABILITY', '97', usd('1'))), ['INVALID_INPUT penalties.1.creditAmount']],
    [
      up(of('AVAILABILITY', '98', usd('1')), of('AVAILABILITY', '97', usd('1', 'EUR'))),
      ['INVALID_INPUT penalties.1.creditAmount'],
    ],
    [
      up(of('AVAILABILITY', '97', { creditBasisPoints: 99 }), of('AVAILABILITY', '98')),
      ['INVALID_INPUT penalties.0.creditBasisPoints'],
    ],
    [up(...Array.from({ length: 51 }, (_, i) => of('AVAILABILITY', `${40 + i}`))), ['INVALID_INPUT penalties']],
    [
      {
        name: 'S',
        responseTime: { percentile: '95', thresholdMs: 100 },
        penalties: [
          of('RESPONSE_TIME', '99'),
          of('RESPONSE_TIME', '200'),
          of('RESPONSE_TIME', '300', { creditBasisPoints: 1 }),
        ],
      },
      ['INVALID_INPUT penalties.0.limit', 'INVALID_INPUT penalties.2.creditBasisPoints'],
    ],
  ];
  const before = await slaRows(api);
  for (const [input, expected] of rows) {
    expect([JSON.stringify(input), errorsOf(await call(live, 'createSlaDefinition', input))]).toEqual([
      JSON.stringify(input),
      expected,
    ]);
  }
  expect(await slaRows(api)).toBe(before);
});

test('each update of the terms makes a version and leaves the ones before; a change of nothing makes none', async () => {
  api.setNow(day(0));
  const { live } = await newBusiness(api);
  const id = await newSlaDefinition(api, live);
  api.setNow(day(1));
  const update = (fields: Record<string, unknown>) =>
    call(live, 'updateSlaDefinition', { slaDefinitionId: id, ...fields });
  const supportHours = { firstResponseMinutes: 30 };
  const second = await update({ name: 'Platinum', description: ' ', supportHours, expectedVersion: 1 });
  expect(second.slaDefinition).toMatchObject({
    name: 'Platinum',
    description: null,
    version: 2,
    updatedAt: day(1),
    currentVersion: {
      number: 2,
      availability: { targetPercent: '99.9' },
      supportHours: { isAroundTheClock: true, firstResponseMinutes: 30 },
      penalties: gold.penalties.map((penalty) => ({ ...penalty, creditAmount: null })),
      createdAt: day(1),
    },
  });
  const same = await update({ name: 'Platinum', supportHours, penalties: gold.penalties, metadata: {} });
  expect([same.slaDefinition.version, same.slaDefinition.currentVersion.number]).toEqual([2, 2]);
  const third = await update({ metadata: { a: 1 } });
  expect([third.slaDefinition.version, third.slaDefinition.currentVersion.number]).toEqual([3, 2]);
  const fourth = await update({ availability: null, penalties: [] });
  expect([fourth.slaDefinition.currentVersion.number, fourth.slaDefinition.currentVersion.availability]).toEqual([
    3,
    null,
  ]);
  const before = await slaRows(api);
  expect(errorsOf(await update({ name: null, penalties: null }))).toEqual([
    'INVALID_INPUT name',
    'INVALID_INPUT penalties',
  ]);
  expect(errorsOf(await update({ supportHours: null }))).toEqual(['INVALID_INPUT availability']);
  const stale = await update({ name: 'X', expectedVersion: 3 });
  expect(stale.userErrors).toMatchObject([{ code: 'STALE_OBJECT', path: ['input', 'expectedVersion'], current: 4 }]);
  expect(await slaRows(api)).toBe(before);
  await update({ availability: { targetPercent: '99.9' }, penalties: gold.penalties });
  // What the penalties do not go with any more is the changed promise.
  expect(errorsOf(await update({ availability: null }))).toEqual(Array(3).fill('INVALID_INPUT availability'));
  expect(errorsOf(await update({ availability: { targetPercent: '98' } }))).toEqual(
    Array(2).fill('INVALID_INPUT availability'),
  );
  const { slaDefinition } = await api.data({
    token: live,
    query: `query ($id: ID!) { slaDefinition(id: $id) { versions(first: 2) { totalCount nodes { number } pageInfo { endCursor } } all: versions { nodes { ${slaVersionFields} } } } }`,
    variables: { id },
  });
  expect(slaDefinition.versions).toMatchObject({ totalCount: 4, nodes: [{ number: 4 }, { number: 3 }] });
  expect(slaDefinition.all.nodes.map(({ number, name, createdAt }: any) => [number, name, createdAt])).toEqual([
    ...[
      [4, 'Platinum', day(1)],
      [3, 'Platinum', day(1)],
      [2, 'Platinum', day(1)],
      [1, 'Gold', day(0)],
    ],
  ]);
  const changes = await changesOf(api, id);
  expect(changes.map(({ type }) => type.split('.')[1])).toEqual(['created', ...Array(4).fill('updated')]);
  await expect(api.db.sql(null, "UPDATE sla_definition_versions SET name = 'x'", [])).rejects.toThrow('append-only');
  api.setNow(null);
});

test('an archived definition stays as it is; archiving again changes nothing', async () => {
  api.setNow(day(0));
  const { live } = await newBusiness(api);
  const id = await newSlaDefinition(api, live);
  const archive = (fields = {}) => call(live, 'archiveSlaDefinition', { slaDefinitionId: id, ...fields });
  expect(errorsOf(await archive({ expectedVersion: 2 }))).toEqual(['STALE_OBJECT expectedVersion']);
  expect((await archive()).slaDefinition).toMatchObject({ archivedAt: day(0), version: 2 });
  expect((await archive({ expectedVersion: 1 })).slaDefinition).toMatchObject({ archivedAt: day(0), version: 2 });
  expect(errorsOf(await call(live, 'updateSlaDefinition', { slaDefinitionId: id, name: 'X' }))).toEqual([
    'SLA_DEFINITION_ARCHIVED slaDefinitionId',
  ]);
  api.setNow(null);
});

test('of many updates that expect one version one is made; many others at once number their versions without gaps', async () => {
  const { live } = await newBusiness(api);
  const id = await newSlaDefinition(api, live);
  const expecting = await Promise.all(
    Array.from({ length: 10 }, (_, i) =>
      call(live, 'updateSlaDefinition', { slaDefinitionId: id, name: `No ${i}`, expectedVersion: 1 }),
    ),
  );
  expect(expecting.flatMap(errorsOf)).toEqual(Array(9).fill('STALE_OBJECT expectedVersion'));
  await Promise.all(
    Array.from({ length: 10 }, (_, i) => call(live, 'updateSlaDefinition', { slaDefinitionId: id, name: `Name ${i}` })),
  );
  const { slaDefinition } = await api.data({
    token: live,
    query:
      'query ($id: ID!) { slaDefinition(id: $id) { version currentVersion { number } versions { nodes { number } } } }',
    variables: { id },
  });
  expect([slaDefinition.version, slaDefinition.currentVersion.number]).toEqual([12, 12]);
  expect(slaDefinition.versions.nodes.map(({ number }: any) => number)).toEqual([
    12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1,
  ]);
  const retried = await Promise.all(
    Array.from({ length: 8 }, () => call(live, 'createSlaDefinition', { ...gold, idempotencyKey: 'once' })),
  );
  expect(new Set(retried.map((payload) => payload.slaDefinition.id)).size).toBe(1);
});

test('lists find by id, name, text, metadata and archive; foreign definitions are not there', async () => {
  const { live, test: testToken } = await newBusiness(api);
  const other = await newBusiness(api);
  const ids = [];
  for (const name of ['Beta', 'Alpha', 'Gamma'])
    ids.push(await newSlaDefinition(api, live, { name, metadata: { name } }));
  await call(live, 'archiveSlaDefinition', { slaDefinitionId: ids[2] });
  const list = async (args: string, token = live) =>
    (await api.data({ token, query: `{ slaDefinitions(${args}) { nodes { name } } }` })).slaDefinitions.nodes.map(
      ({ name }: any) => name,
    );
  expect(await list('first: 5')).toEqual(['Alpha', 'Beta']);
  expect(await list('orderBy: { field: NAME, direction: ASC }')).toEqual(['Alpha', 'Beta']);
  expect(await list('where: { isArchived: true }')).toEqual(['Gamma']);
  expect(await list('search: "LPH"')).toEqual(['Alpha']);
  expect(await list('where: { metadata: { key: "name", eq: "Beta" } }')).toEqual(['Beta']);
  expect(await list(`where: { id: { in: ["${ids[0]}", "sla_x"] } }`)).toEqual(['Beta']);
  expect(await list('where: { createdAt: { lt: "2000-01-01" } }')).toEqual([]);
  for (const [token, code] of [
    [other.live, 'SLA_DEFINITION_NOT_FOUND'],
    [testToken, 'MODE_MISMATCH'],
  ] as const) {
    const before = await slaRows(api);
    expect(await list('first: 5', token)).toEqual([]);
    for (const name of ['updateSlaDefinition', 'archiveSlaDefinition']) {
      expect(errorsOf(await call(token, name, { slaDefinitionId: ids[0] }))).toEqual([`${code} slaDefinitionId`]);
    }
    expect(await slaRows(api)).toBe(before);
  }
  const narrow = await newApiKey(api, live, ['PRODUCT_KEYS_READ']);
  const session = await newSession(api, live, await newCustomer(api, live));
  for (const token of [narrow, session]) {
    await expect(call(token, 'createSlaDefinition', gold)).rejects.toThrow('FORBIDDEN');
  }
});

test('the deserved penalty: beyond its limit, and none with a worse limit is; a worse value never deserves less', () => {
  const steps = fc.uniqueArray(fc.integer({ min: 1, max: 99_999 }), { maxLength: 12 });
  const value = fc.integer({ min: 0, max: 100_000_000 });
  const metric = fc.constantFrom('AVAILABILITY' as const, 'RESPONSE_TIME' as const, 'SUPPORT_HOURS' as const);
  fc.assert(
    fc.property(metric, steps, value, value, (of, limits, first, second) => {
      const isUp = of === 'AVAILABILITY';
      const penalties: Penalty[] = limits.flatMap((limit, i) => [
        { metric: of, limit: decimalOf(BigInt(limit) * 1_000n), basisPoints: i, amountMinor: null, currency: null },
        // Penalties of other promises are never in question.
        {
          metric: isUp ? 'RESPONSE_TIME' : 'AVAILABILITY',
          limit: '50',
          basisPoints: 1,
          amountMinor: null,
          currency: null,
        },
      ]);
      const severity = (measured: number) => {
        const index = deservedPenalty(penalties, of, BigInt(measured));
        const beyond = limits.filter((limit) => (isUp ? measured < limit * 1_000 : measured > limit * 1_000));
        const worst = beyond.length === 0 ? null : isUp ? Math.min(...beyond) : Math.max(...beyond);
        expect(index === null ? null : penalties[index]?.limit).toBe(
          worst === null ? null : decimalOf(BigInt(worst) * 1_000n),
        );
        return worst === null ? -Infinity : isUp ? -worst : worst;
      };
      const isFirstWorse = isUp ? first < second : first > second;
      expect(isFirstWorse ? severity(first) >= severity(second) : severity(first) <= severity(second)).toBe(true);
      expect(millionthsOf(decimalOf(BigInt(first)), 6)).toBe(BigInt(first));
    }),
    { numRuns: process.env.DEEP ? 5_000 : 300 },
  );
  expect([millionthsOf('1.0000001', 6), millionthsOf('-1', 6), millionthsOf('99.95', 1)]).toEqual([null, null, null]);
});
