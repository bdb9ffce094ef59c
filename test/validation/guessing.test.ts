import { expect, test } from '@jest/globals';
import { newShop } from '../purchases/shop.js';
import { useApi } from '../support/api.js';
import { newBusiness, newCustomer, newSession, type TestBusiness } from '../support/business.js';
import { newDiscount } from '../support/discounts.js';
import { newLicensedKey } from '../support/keys.js';

const limits = { LATCHKEY_RATE_KEYS_CAPACITY: '5', LATCHKEY_RATE_KEYS_REFILL_PER_SECOND: '0.001' };
const api = useApi({ ...limits, LATCHKEY_TRUST_PROXY: '1' });
const direct = useApi(limits);

/** Calls from an address without a token. */
function from(ip: string, { brandUrl }: TestBusiness) {
  return (query: string, variables: object = {}, token: string | null = null) =>
    api.call({
      token,
      query,
      variables: variables as Record<string, unknown>,
      headers: { 'brand-url': brandUrl, 'x-forwarded-for': ip },
    });
}

const one = 'query ($input: ValidateLicenseKeyInput!) { validateLicenseKey(input: $input) { valid checks { code } } }';
const list = 'query ($inputs: [ValidateLicenseKeyInput!]!) { validateLicenseKeys(inputs: $inputs) { valid } }';
const unknown = { input: { key: 'unknown' } };

test('keys that are not known cost one each; those that are known cost nothing', async () => {
  const business = await newBusiness(api);
  const [live, inTest] = [await newLicensedKey(api, business.live), await newLicensedKey(api, business.test)];
  const call = from('198.51.100.1', business);
  for (let i = 0; i < 5; i++) expect((await call(one, unknown)).status).toBe(200);
  const refused = await call(one, unknown);
  expect([refused.status, refused.data, refused.errors?.map(({ extensions }) => extensions.code)]).toEqual([
    429,
    { validateLicenseKey: null },
    ['RATE_LIMITED'],
  ]);
  const seconds = Number(refused.headers['retry-after']);
  expect(seconds).toBeGreaterThan(900);
  expect(refused.errors?.[0]?.extensions.retryAfterSeconds).toBe(seconds);
  const other = from('198.51.100.2', business);
  for (let i = 0; i < 20; i++) {
    const { key } = i % 2 ? live : inTest;
    expect((await other(one, { input: { key } })).status).toBe(200);
  }
  for (let i = 0; i < 5; i++) expect((await other(one, unknown)).status).toBe(200);
  expect((await other(one, unknown)).status).toBe(429);
});

test('what a caller says of its address counts only as far as a proxy is trusted', async () => {
  const business = await newBusiness(api);
  for (let i = 0; i < 5; i++)
    expect((await from(`10.0.0.${i}, 198.51.100.8`, business)(one, unknown)).status).toBe(200);
  expect((await from('10.0.0.9, 198.51.100.8', business)(one, unknown)).status).toBe(429);
  // Without a trusted proxy it counts nothing.
  const { brandUrl } = await newBusiness(direct);
  const claim = (i: number) => ({
    'x-forwarded-for': `198.51.100.${i}`,
    forwarded: `for=198.51.100.${i}`,
    'x-real-ip': `10.0.0.${i}`,
  });
  const statuses: number[] = [];
  for (let i = 0; i < 7; i++) {
    const headers = { 'brand-url': brandUrl, ...claim(i) };
    statuses.push((await direct.call({ query: one, variables: unknown, headers })).status);
  }
  expect(statuses).toEqual([200, 200, 200, 200, 200, 429, 429]);
});

test('each alias costs: those after the last token are null, the others are answered', async () => {
  const call = from('198.51.100.3', await newBusiness(api));
  const aliases = Array.from(
    { length: 8 },
    (_, i) => `a${i}: validateLicenseKey(input: { key: "unknown ${i}" }) { valid }`,
  );
  const answer = await call(`{ ${aliases.join(' ')} }`);
  expect(answer.status).toBe(429);
  expect(Object.values(answer.data as object)).toEqual([...Array<object>(5).fill({ valid: false }), null, null, null]);
  expect(answer.errors?.map(({ path, extensions }) => [path, extensions.code])).toEqual(
    ['a5', 'a6', 'a7'].map((alias) => [[alias], 'RATE_LIMITED']),
  );
});

test('each element of a list costs, and a list that costs too much is not looked up', async () => {
  const business = await newBusiness(api);
  const { key } = await newLicensedKey(api, business.live);
  const call = from('198.51.100.4', business);
  const keys = (count: number, of = 'unknown') => ({ inputs: Array.from({ length: count }, () => ({ key: of })) });
  expect((await call(list, keys(6))).errors?.[0]?.extensions.code).toBe('RATE_LIMITED');
  expect((await call(list, keys(3))).status).toBe(200);
  expect((await call(list, keys(3))).status).toBe(429);
  expect((await call(list, keys(2, key))).data.validateLicenseKeys).toEqual([{ valid: true }, { valid: true }]);
  expect((await call(list, keys(2, '-'))).status).toBe(200);
  expect((await call(list, keys(1, key))).status).toBe(429);
});

test('devices are no way around it, and a known key pays nothing however it is refused', async () => {
  const business = await newBusiness(api);
  const { key } = await newLicensedKey(api, business.live, { licenseKey: { activationsLimit: 1 } });
  const call = from('198.51.100.5', business);
  const activate =
    'mutation ($input: ActivateLicenseKeyInput!) { activateLicenseKey(input: $input) { userErrors { code } } }';
  const beat =
    'mutation ($input: HeartbeatActivationInput!) { heartbeatActivation(input: $input) { userErrors { code } } }';
  const free =
    'mutation ($input: DeactivateLicenseKeyInput!) { deactivateLicenseKey(input: $input) { userErrors { code } } }';
  for (let i = 0; i < 10; i++) {
    const first = await call(activate, { input: { key, fingerprint: `f${i}`, idempotencyKey: 'a' } });
    expect(first.errors?.[0]?.extensions.code).toBe(i === 0 ? undefined : 'IDEMPOTENCY_CONFLICT');
    const repeated = await call(activate, { input: { key, fingerprint: 'f0', idempotencyKey: 'b' } });
    expect(repeated.data.activateLicenseKey.userErrors).toEqual([]);
    const full = await call(activate, { input: { key, fingerprint: 'g' } });
    expect(full.data.activateLicenseKey.userErrors).toEqual([{ code: 'ACTIVATION_LIMIT_REACHED' }]);
  }
  const device = { input: { key: 'unknown', fingerprint: 'f' } };
  for (const query of [activate, beat, free, activate, beat]) expect((await call(query, device)).status).toBe(200);
  for (const query of [activate, beat, free]) expect((await call(query, device)).status).toBe(429);
});

test('the public look-up costs the same, and is no way around it either', async () => {
  const business = await newBusiness(api);
  const { key } = await newLicensedKey(api, business.live);
  const call = from('198.51.100.7', business);
  const look = 'query ($key: String!) { publicLicenseKey(key: $key) { exists } }';
  for (let i = 0; i < 10; i++) expect((await call(look, { key })).data.publicLicenseKey).toEqual({ exists: true });
  for (let i = 0; i < 4; i++) expect((await call(look, { key: `u${i}` })).data.publicLicenseKey.exists).toBe(false);
  const aliases = '{ a: publicLicenseKey(key: "x") { exists } b: publicLicenseKey(key: "y") { exists } }';
  const answer = await call(aliases);
  expect([answer.status, answer.data]).toEqual([429, { a: { exists: false }, b: null }]);
  expect((await call(one, unknown)).status).toBe(429);
  expect((await call(look, { key: 'x' }, business.live)).status).toBe(200);
});

test('a session guesses at its address’s cost, an API key does not', async () => {
  const business = await newBusiness(api);
  const session = await newSession(api, business.live, await newCustomer(api, business.live));
  const call = from('198.51.100.6', business);
  for (let i = 0; i < 6; i++) expect((await call(one, unknown, business.live)).status).toBe(200);
  for (let i = 0; i < 5; i++) expect((await call(one, unknown, session)).status).toBe(200);
  expect((await call(one, unknown, session)).status).toBe(429);
  expect((await call(one, unknown)).status).toBe(429);
});

test('a session pays for discount codes that are not known, in previews and purchases; known ones and an API key cost nothing', async () => {
  const shop = await newShop(api);
  const { business, input } = shop;
  const session = await newSession(api, business.live, shop.customerId);
  const { code } = await newDiscount(api, business.live, { usageLimit: 1 });
  const call = from('198.51.100.70', business);
  const preview = `query ($codes: [String!], $customerId: ID) { previewDiscount(input: { packageId: "${shop.packageId}",
    subscriptionTypeId: "${shop.subscriptionTypeId}", currencyCode: "USD", discountCodes: $codes, customerId: $customerId }) {
    total { amount } userErrors { code } } }`;
  const purchase = `mutation ($input: PurchaseLicensesByWalletInput!) { purchaseLicensesByWallet(input: $input) {
    success userErrors { code } } }`;
  const buying = { input: { ...input, customerCode: null, discountCode: 'GUESS' } };
  const asGuest = { customerId: shop.customerId, codes: ['G-1', 'G-2', 'G-3'] };
  for (let i = 0; i < 3; i++) expect((await call(preview, asGuest, business.live)).status).toBe(200);
  for (let i = 0; i < 8; i++) expect((await call(preview, { codes: [code] }, session)).errors).toBeUndefined();
  expect((await call(preview, { codes: ['G-1', code, 'G-2'] }, session)).status).toBe(200);
  expect((await call(purchase, buying, session)).data.purchaseLicensesByWallet.userErrors).toEqual([
    { code: 'DISCOUNT_NOT_APPLICABLE' },
  ]);
  // Two are left: three at once are not even looked up.
  const refused = await call(preview, { codes: ['G-3', 'G-4', 'G-5'] }, session);
  expect([refused.status, refused.errors?.[0]?.extensions.code]).toEqual([429, 'RATE_LIMITED']);
  for (let i = 0; i < 2; i++) expect((await call(purchase, buying, session)).status).toBe(200);
  expect((await call(purchase, buying, session)).status).toBe(429);
  expect((await call(one, unknown)).status).toBe(429);
  const known = { input: { ...buying.input, discountCode: null } };
  expect((await call(purchase, known, session)).data.purchaseLicensesByWallet.success).toBe(true);
});
