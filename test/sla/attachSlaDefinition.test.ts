import { expect, test } from '@jest/globals';
import { useApi } from '../support/api.js';
import { newApiKey, newBusiness, newCustomer, newSession } from '../support/business.js';
import { changesOf, rowId } from '../support/licenses.js';
import { newProductKey, productKeyInput } from '../support/productKeys.js';
import { callSla, newSlaDefinition, slaRows } from '../support/sla.js';

const api = useApi();
const day = (n: number) => new Date(Date.parse('2026-03-01T00:00:00Z') + n * 86_400_000).toISOString();
const slas = 'slas(includeDetached: true) { definition { id } version { number } attachedAt detachedAt }';
const call = (name: 'attach' | 'detach', token: string, productKeyId: string, slaDefinitionId: string, more = {}) =>
  callSla(
    api,
    token,
    `${name}SlaDefinition`,
    { productKeyId, slaDefinitionId, ...more },
    `productKey { id version ${slas} }`,
  );
const errorsOf = ({ userErrors }: any) => userErrors.map(({ code, path }: any) => `${code} ${path.slice(1).join('.')}`);
const create = async (token: string, fields: Record<string, unknown>) => {
  const query = `mutation ($input: CreateProductKeyInput!) { createProductKey(input: $input) {
    productKey { id slas { definition { id } version { number } attachedAt detachedAt } } userErrors { code path } } }`;
  const answer = await api.call({ token, query, variables: { input: await productKeyInput(api, token, fields) } });
  return answer.data.createProductKey;
};
const update = (token: string, slaDefinitionId: string, fields: Record<string, unknown>) =>
  callSla(api, token, 'updateSlaDefinition', { slaDefinitionId, ...fields }, 'slaDefinition { version }');
const archive = (token: string, slaDefinitionId: string) =>
  callSla(api, token, 'archiveSlaDefinition', { slaDefinitionId }, 'slaDefinition { version }');
const row = (id: string, number: number, from: number, until: number | null = null) => ({
  definition: { id },
  version: { number },
  attachedAt: day(from),
  detachedAt: until === null ? null : day(until),
});

test('a new product key gets definitions at their present versions, each once, since its start', async () => {
  api.setNow(day(10));
  const { live, test: testToken } = await newBusiness(api);
  const other = await newBusiness(api);
  const [one, two, gone] = [
    await newSlaDefinition(api, live),
    await newSlaDefinition(api, live),
    await newSlaDefinition(api, live),
  ];
  await update(live, two, { name: 'Silver' });
  await archive(live, gone);
  const past = await create(live, { slaDefinitionIds: [one, two, one], start: day(4) });
  expect([past.userErrors, past.productKey.slas]).toEqual([[], [row(one, 1, 4), row(two, 2, 4)]]);
  const future = await create(live, { slaDefinitionIds: [two], start: day(20) });
  expect(future.productKey.slas).toEqual([row(two, 2, 10)]);
  const foreign = await newSlaDefinition(api, other.live);
  const inTest = await newSlaDefinition(api, testToken);
  // Its own product, so that a refused key leaves nothing.
  const { productIds } = (await productKeyInput(api, live)) as { productIds: string[] };
  const before = await slaRows(api);
  const refused = await create(live, { slaDefinitionIds: [one, foreign, 'sla_x', gone, inTest], productIds });
  expect(errorsOf(refused)).toEqual([
    ...['SLA_DEFINITION_NOT_FOUND slaDefinitionIds.1', 'SLA_DEFINITION_NOT_FOUND slaDefinitionIds.2'],
    ...['SLA_DEFINITION_ARCHIVED slaDefinitionIds.3', 'MODE_MISMATCH slaDefinitionIds.4'],
  ]);
  expect(await slaRows(api)).toBe(before);
  const many = await Promise.all(Array.from({ length: 50 }, () => newSlaDefinition(api, live)));
  expect(errorsOf(await create(live, { slaDefinitionIds: [one, ...many], productIds }))).toEqual([
    'INVALID_INPUT slaDefinitionIds',
  ]);
  const full = await create(live, { slaDefinitionIds: many, productIds });
  expect(full.productKey.slas.length).toBe(50);
  expect(errorsOf(await call('attach', live, full.productKey.id, one))).toEqual(['INVALID_INPUT slaDefinitionId']);
  await call('detach', live, full.productKey.id, many[7] as string);
  expect(errorsOf(await call('attach', live, full.productKey.id, one))).toEqual([]);
  api.setNow(null);
});

test('attaching moves a key to the present version and keeps what held before; the same again changes nothing', async () => {
  api.setNow(day(0));
  const { live } = await newBusiness(api);
  const sla = await newSlaDefinition(api, live);
  const id = await newProductKey(api, live);
  const first = await call('attach', live, id, sla, { expectedVersion: 1 });
  expect(first).toEqual({ productKey: { id, version: 2, slas: [row(sla, 1, 0)] }, userErrors: [] });
  api.setNow(day(1));
  expect((await call('attach', live, id, sla)).productKey).toEqual(first.productKey);
  await update(live, sla, { availability: { targetPercent: '99.99' } });
  expect((await call('attach', live, id, sla)).productKey).toEqual({
    id,
    version: 3,
    slas: [row(sla, 1, 0, 1), row(sla, 2, 1)],
  });
  api.setNow(day(2));
  await archive(live, sla);
  expect(errorsOf(await call('attach', live, id, sla))).toEqual([]);
  const detached = await call('detach', live, id, sla);
  const history = [row(sla, 1, 0, 1), row(sla, 2, 1, 2)];
  expect(detached).toEqual({ productKey: { id, version: 4, slas: history }, userErrors: [] });
  api.setNow(day(3));
  expect((await call('detach', live, id, sla)).productKey).toEqual(detached.productKey);
  expect(errorsOf(await call('attach', live, id, sla))).toEqual(['SLA_DEFINITION_ARCHIVED slaDefinitionId']);
  const { productKey } = await api.data({
    token: live,
    query: `query ($id: ID!) { productKey(id: $id) { slas { attachedAt } all: slas(includeDetached: true) { attachedAt } } }`,
    variables: { id },
  });
  expect([productKey.slas, productKey.all.length]).toEqual([[], 2]);
  const changes = (await changesOf(api, id)).slice(1);
  expect(changes.map(({ type }) => type)).toEqual([
    ...['product_key.sla_attached', 'product_key.sla_attached', 'product_key.sla_detached'],
  ]);
  api.setNow(null);
});

test('refused: ended and foreign keys, unknown definitions, the other mode, another brand, old versions', async () => {
  api.setNow(day(0));
  const { live, test: testToken } = await newBusiness(api);
  const other = await newBusiness(api);
  const sla = await newSlaDefinition(api, live);
  const id = await newProductKey(api, live);
  const ended = await newProductKey(api, live, { expiration: day(1) });
  const url = 'second-brand.example.com';
  const made = await callSla(api, live, 'createBrand', { name: 'Second', url }, 'brand { id }');
  expect(made.userErrors).toEqual([]);
  api.setNow(day(2));
  const narrow = await newApiKey(api, live, ['PRODUCT_KEYS_READ']);
  const session = await newSession(api, live, await newCustomer(api, live));
  const foreign = await newSlaDefinition(api, other.live);
  const before = await slaRows(api);
  for (const name of ['attach', 'detach'] as const) {
    const rows: [string, string, string, string, object?][] = [
      [live, 'pk_x', sla, 'PRODUCT_KEY_NOT_FOUND productKeyId'],
      [other.live, id, foreign, 'PRODUCT_KEY_NOT_FOUND productKeyId'],
      [testToken, id, sla, 'MODE_MISMATCH productKeyId'],
      [live, id, foreign, 'SLA_DEFINITION_NOT_FOUND slaDefinitionId'],
      [live, id, sla, 'STALE_OBJECT expectedVersion', { expectedVersion: 9 }],
    ];
    for (const [token, key, definition, expected, more] of rows) {
      expect(errorsOf(await call(name, token, key, definition, more))).toEqual([expected]);
    }
    const input = { productKeyId: id, slaDefinitionId: sla };
    const branded = await callSla(api, live, `${name}SlaDefinition`, input, 'productKey { id }', { 'brand-url': url });
    expect(errorsOf(branded)).toEqual(['BRAND_MISMATCH productKeyId']);
    for (const token of [narrow, session]) await expect(call(name, token, id, sla)).rejects.toThrow('FORBIDDEN');
  }
  expect(await slaRows(api)).toBe(before);
  expect((await call('attach', live, ended, sla)).userErrors).toMatchObject([
    { code: 'PRODUCT_KEY_ENDED', endedAs: 'EXPIRED' },
  ]);
  api.setNow(null);
});

test('at once: one attachment, no two versions at a time, and no faults', async () => {
  const { live } = await newBusiness(api);
  const sla = await newSlaDefinition(api, live);
  const id = await newProductKey(api, live);
  const same = await Promise.all(Array.from({ length: 12 }, () => call('attach', live, id, sla)));
  expect([same.flatMap(errorsOf), same.map(({ productKey }) => productKey.version)]).toEqual([[], Array(12).fill(2)]);
  const mixed = await Promise.all(
    Array.from({ length: 24 }, (_, i) =>
      i % 3 === 2 ? update(live, sla, { name: `No ${i}` }) : call(i % 3 === 0 ? 'attach' : 'detach', live, id, sla),
    ),
  );
  expect(mixed.flatMap(errorsOf)).toEqual([]);
  const rows = await api.db.sql<{ from: Date; until: Date | null }>(
    null,
    'SELECT attached_at AS from, detached_at AS until FROM product_key_slas WHERE product_key_id = $1 ORDER BY 1, 2, id',
    [rowId(id)],
  );
  expect(rows.length).toBeGreaterThan(1);
  expect(rows.slice(1).filter(({ from }, i) => from < (rows[i]?.until ?? new Date(8.64e15)))).toEqual([]);
});

test('SLAs of many keys are read in as many statements as those of one', async () => {
  const { live } = await newBusiness(api);
  const slaDefinitionIds = [await newSlaDefinition(api, live), await newSlaDefinition(api, live)];
  const query = `{ productKeys { nodes { slas { version { number penalties { limit } } definition { name } } slaBreaches(first: 1) { nodes { id } }
    slaCompliance(startsAt: "2026-01-01", endsAt: "2027-01-01") { metric isMet versions { number } } } } }`;
  const read = () => api.data({ token: live, query });
  await newProductKey(api, live, { slaDefinitionIds });
  const one = await api.countStatements(read);
  for (let i = 0; i < 4; i++) await newProductKey(api, live, { slaDefinitionIds });
  expect((await read()).productKeys.nodes.map((node: any) => node.slas.length)).toEqual(Array(5).fill(2));
  expect(await api.countStatements(read)).toBe(one);
});
