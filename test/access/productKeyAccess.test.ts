import { beforeAll, expect, test } from '@jest/globals';
import { isEnumType } from 'graphql';
import { accessCodes, reasonsOf } from '../../src/access/reasons.js';
import { readContract } from '../../src/schema.js';
import { useApi } from '../support/api.js';
import {
  newApiKey,
  newBusiness,
  newCustomer,
  newOrganization,
  newSession,
  type TestBusiness,
} from '../support/business.js';
import { newProduct } from '../support/catalog.js';
import { callProductKey } from '../support/productKeys.js';
import { callUsage, newUsedKey } from '../support/usage.js';

const api = useApi();
let business: TestBusiness;
let [open, named]: { id: string; sku: string }[] = [];

type Fields = Record<string, unknown>;

beforeAll(async () => {
  api.setNow('2026-03-10T10:00:00.000Z');
  business = await newBusiness(api);
  const product = async (sku: string, fields: Fields = {}) => ({
    sku,
    id: await newProduct(api, business.live, { sku, ...fields }),
  });
  [open, named] = [await product('OPEN'), await product('NAMED', { audience: 'NAMED' })];
});

const query = `query ($key: String!, $productSku: String!, $consumerEmail: String, $organizationId: ID) {
  productKeyAccess(key: $key, productSku: $productSku, consumerEmail: $consumerEmail, organizationId: $organizationId) {
    allowed reasons { code message remedy } productKey { id } status remainingQuota quotaPeriodEnd graceUntil checkedAt } }`;

async function access(variables: Fields, token = business.live, headers = {}): Promise<any> {
  const answer = await api.call({ token, query, variables: { productSku: 'OPEN', ...variables }, headers });
  if (answer.errors) throw new Error(JSON.stringify(answer.errors));
  return answer.data.productKeyAccess;
}

const codesOf = async (variables: Fields, token = business.live, headers = {}) =>
  (await access(variables, token, headers)).reasons.map(({ code }: { code: string }) => code);
const keyFor = (product: { id: string }, fields: Fields = {}) =>
  newUsedKey(api, business.live, { productIds: [product.id], ...fields });

test('a key that may be used is allowed, in any spelling, in one statement', async () => {
  const productIds = [await newProduct(api, business.live, { sku: 'MONTHLY', quotaPeriod: 'MONTH' })];
  const { id, key } = await newUsedKey(api, business.live, { productIds, quota: 7 });
  expect(await access({ key: key.toLowerCase().replaceAll('-', ' '), productSku: ' MONTHLY ' })).toEqual({
    allowed: true,
    reasons: [],
    productKey: { id },
    status: 'ACTIVE',
    remainingQuota: '7',
    quotaPeriodEnd: '2026-04-10T10:00:00.000Z',
    graceUntil: null,
    checkedAt: '2026-03-10T10:00:00.000Z',
  });
  const small = `query ($key: String!) { productKeyAccess(key: $key, productSku: "MONTHLY") { allowed } }`;
  await api.data({ token: business.live, query: small, variables: { key } });
  expect(await api.countStatements(() => api.data({ token: business.live, query: small, variables: { key } }))).toBe(1);
});

test('every reason why not is told, all of them at once', async () => {
  const reached = new Set<string>();
  const expectCodes = async (variables: Fields, codes: string[], headers = {}, token = business.live) => {
    const found = await codesOf(variables, token, headers);
    expect([variables, found]).toEqual([variables, codes]);
    found.forEach((code: string) => reached.add(code));
  };
  const scheduled = await keyFor(named!, { start: '2026-03-12T00:00:00Z', quota: 0 });
  const disabled = await keyFor(open!, { valid: false });
  const unpaid = await keyFor(open!, { disableOnPaymentFailed: true });
  await callProductKey(api, business.live, 'recordPaymentResult', {
    productKeyId: unpaid.id,
    externalPaymentId: 'p',
    result: 'FAILED',
  });
  const cancelled = await keyFor(open!);
  await callProductKey(api, business.live, 'cancelProductKey', { productKeyId: cancelled.id });
  const expired = await keyFor(open!, { expiration: '2026-03-10T10:00:01Z' });
  const rotated = await keyFor(open!);
  await callProductKey(api, business.live, 'rotateProductKey', {
    productKeyId: rotated.id,
    graceUntil: '2026-03-10T10:00:01Z',
  });
  expect(await access({ key: rotated.key })).toMatchObject({ allowed: true, graceUntil: '2026-03-10T10:00:01.000Z' });
  const used = await keyFor(open!, { quota: 3 });
  await callUsage(api, business.live, 'recordUsage', { key: used.key, amount: 3 });
  const inTest = await newUsedKey(api, business.test);
  const foreign = await newUsedKey(api, (await newBusiness(api)).live);
  await api.data({
    token: business.live,
    query: 'mutation { createBrand(input: { name: "Other", url: "access-other.example.com" }) { brand { id } } }',
  });
  api.setNow('2026-03-10T10:00:01.000Z');
  await expectCodes({ key: ' - ' }, ['KEY_BLANK']);
  await expectCodes({ key: 'x'.repeat(513) }, ['KEY_TOO_LONG']);
  await expectCodes({ key: 'nothing' }, ['KEY_NOT_FOUND']);
  await expectCodes({ key: foreign.key }, ['KEY_NOT_FOUND']);
  await expectCodes({ key: inTest.key }, ['KEY_OF_OTHER_MODE']);
  await expectCodes({ key: used.key }, ['BRAND_MISMATCH'], { 'brand-url': 'access-other.example.com' });
  await expectCodes({ key: rotated.key }, ['KEY_REPLACED']);
  await expectCodes({ key: disabled.key }, ['KEY_DISABLED']);
  await expectCodes({ key: unpaid.key }, ['KEY_UNPAID']);
  await expectCodes({ key: cancelled.key, productSku: 'NONE' }, ['KEY_CANCELLED', 'PRODUCT_NOT_FOUND']);
  await expectCodes({ key: expired.key, productSku: 'NAMED' }, ['KEY_EXPIRED', 'PRODUCT_MISMATCH']);
  await expectCodes({ key: scheduled.key, productSku: 'NAMED' }, [
    'KEY_SCHEDULED',
    'CONSUMER_REQUIRED',
    'QUOTA_EXHAUSTED',
  ]);
  const stranger = { consumerEmail: 'stranger@example.com', organizationId: await newOrganization(api, business.live) };
  await expectCodes({ key: scheduled.key, productSku: 'NAMED', ...stranger }, [
    'KEY_SCHEDULED',
    'CONSUMER_NOT_NAMED',
    'ORGANIZATION_NOT_NAMED',
    'QUOTA_EXHAUSTED',
  ]);
  await expectCodes({ key: used.key }, ['QUOTA_EXHAUSTED']);
  expect((await access({ key: used.key })).remainingQuota).toBe('0');
  await callProductKey(api, business.live, 'updateProductKey', { productKeyId: used.id, overQuota: 'METER' });
  await expectCodes({ key: used.key }, []);
  expect(accessCodes.filter((code) => !reached.has(code))).toEqual([]);
  api.setNow('2026-03-10T10:00:00.000Z');
});

test('of a product for named consumers: an address in any case, a member of a named organization, or that organization', async () => {
  const [acme, other] = [await newOrganization(api, business.live), await newOrganization(api, business.live)];
  await newCustomer(api, business.live, { email: 'member@acme.example', organizationId: acme });
  await newCustomer(api, business.live, { email: 'guest@other.example', organizationId: other });
  const { key } = await keyFor(named!, { namedConsumers: ['Erika@Example.com'], namedOrganizations: [acme] });
  const ask = (variables: Fields) => codesOf({ key, productSku: 'NAMED', ...variables });
  expect(await ask({ consumerEmail: ' eRIKA@example.COM ' })).toEqual([]);
  expect(await ask({ consumerEmail: 'Member@acme.example' })).toEqual([]);
  expect(await ask({ organizationId: acme })).toEqual([]);
  expect(await ask({ consumerEmail: 'guest@other.example', organizationId: acme })).toEqual([]);
  expect(await ask({ consumerEmail: 'guest@other.example' })).toEqual(['CONSUMER_NOT_NAMED']);
  expect(await ask({ organizationId: other })).toEqual(['ORGANIZATION_NOT_NAMED']);
  expect(await ask({ organizationId: 'nothing' })).toEqual(['ORGANIZATION_NOT_NAMED']);
  expect(await ask({ consumerEmail: ' ', organizationId: null })).toEqual(['CONSUMER_REQUIRED']);
  const free = await keyFor(open!);
  expect(await codesOf({ key: free.key, consumerEmail: 'stranger@example.com' })).toEqual([]);
});

test('the contract says of each code what the answer says', () => {
  const type = readContract().getType('ProductKeyAccessCode');
  const described = isEnumType(type) ? type.getValues().map(({ name, description }) => [name, description]) : [];
  const told = reasonsOf(new Set(accessCodes)).map(({ code, message, remedy }) => [
    code,
    `${message} Remedy: ${remedy}`,
  ]);
  expect(described).toEqual(told);
});

test('only an API key with PRODUCT_KEYS_READ asks', async () => {
  const variables = { key: 'nothing', productSku: 'OPEN' };
  const session = await newSession(api, business.live, await newCustomer(api, business.live));
  for (const token of [session, await newApiKey(api, business.live, ['USAGE_WRITE', 'LICENSE_KEYS_READ'])]) {
    const answer = await api.call({ token, query, variables });
    expect([answer.errors?.[0]?.extensions.code, answer.data]).toEqual(['FORBIDDEN', null]);
  }
  expect((await api.call({ query, variables })).status).toBe(401);
});
