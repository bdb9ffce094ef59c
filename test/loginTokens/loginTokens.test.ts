import { expect, test } from '@jest/globals';
import { forgetLoginTokens } from '../../src/loginTokens/forgetLoginTokens.js';
import { loginUrl } from '../../src/loginTokens/loginToken.js';
import { tokenHash } from '../../src/kernel/secret.js';
import { adminToken, useApi, type Answer } from '../support/api.js';
import {
  newApiKey,
  newBusiness,
  newCustomer,
  newLoginToken,
  newSession,
  type TestBusiness,
} from '../support/business.js';
import { newProduct } from '../support/catalog.js';
import { holdRows } from '../support/holdRows.js';
import { changesOf, rowId } from '../support/licenses.js';

const api = useApi();
const serviceUrl = 'https://studio.example.com/enter?lang=de#top';

const issue = `mutation ($input: IssueLoginTokenInput!) { issueLoginToken(input: $input) {
  url expiresAt loginToken { id customer { id } product { id sku } expiresAt redeemedAt testMode createdAt updatedAt }
  userErrors { __typename message path code } } }`;
const redeem = `mutation ($input: RedeemLoginTokenInput!) { redeemLoginToken(input: $input) {
  authenticatedIdentity { identifier firstName lastName email isEmailVerified countryCode3Letter }
  loginToken { id product { id } redeemedAt }
  userErrors { __typename message path code } } }`;

const erika = {
  firstName: 'Erika',
  lastName: 'Mustermann',
  email: 'erika@example.com',
  isEmailVerified: true,
  countryCode3Letter: 'DEU',
};

/** What every token that cannot be redeemed answers, whatever the reason. */
const notValid = {
  authenticatedIdentity: null,
  loginToken: null,
  userErrors: [
    {
      __typename: 'LoginTokenNotValid',
      message: 'The login token is not valid. Send the customer through `issueLoginToken` again.',
      path: ['input', 'token'],
      code: 'LOGIN_TOKEN_NOT_VALID',
    },
  ],
};

async function newVisit(business: TestBusiness, fields: object = erika) {
  const customerId = await newCustomer(api, business.live, { ...fields });
  const productId = await newProduct(api, business.live, { serviceUrl });
  return { customerId, productId };
}

const tokenOf = (url: string) => new URL(url).searchParams.get('token') as string;
const redeeming = (token: string | null, value: string, fields: object = {}, headers = {}) =>
  api.call({ token, query: redeem, variables: { input: { token: value, ...fields } }, headers });
const issuing = (token: string | null, input: object, headers = {}) =>
  api.call({ token, query: issue, variables: { input }, headers });
const codes = ({ data, errors }: Answer, name: string): string[] =>
  errors?.map(({ extensions }) => String(extensions.code)) ??
  data[name].userErrors.map(({ code, path }: { code: string; path: string[] }) => `${code} ${path.join('.')}`);

async function rows(): Promise<string> {
  const tables = ['login_tokens', 'changes', 'idempotency_records', 'customers'];
  const parts = tables.map((name) => `SELECT '${name}' AS name, to_jsonb(t)::text AS row FROM ${name} t`);
  return JSON.stringify(await api.db.sql(null, `${parts.join(' UNION ALL ')} ORDER BY 1, 2`, []));
}

test.each([
  ['https://a.example', 'https://a.example?token=T'],
  ['https://a.example/', 'https://a.example/?token=T'],
  ['https://a.example/x?', 'https://a.example/x?token=T'],
  ['https://a.example/x#', 'https://a.example/x?token=T#'],
  ['https://a.example/?q=a%20b+c&flag#/login?x=1', 'https://a.example/?q=a%20b+c&flag&token=T#/login?x=1'],
  ['https://a.example/?token=old&a=1&%74oken=old', 'https://a.example/?a=1&token=T'],
  ['https://a.example/??token=1', 'https://a.example/??token=1&token=T'],
  ['http://a.example/?tokens=1&TOKEN=2', 'http://a.example/?tokens=1&TOKEN=2&token=T'],
])('%s takes the token as its parameter and stays what it is otherwise', (given, expected) => {
  expect(loginUrl(given, 'T')).toBe(expected);
});

test('a token leads to the service, tells it once who came, and leaves no secret', async () => {
  const business = await newBusiness(api);
  const { live } = business;
  const visit = await newVisit(business);
  await api.db.sql(null, "UPDATE customers SET number = 'K109025530' WHERE id = $1", [rowId(visit.customerId)]);
  api.setNow('2026-03-01T10:00:00.123Z');
  const { issueLoginToken: issued } = await api.data({ token: live, query: issue, variables: { input: visit } });
  const token = tokenOf(issued.url);
  expect(issued.url).toBe(`https://studio.example.com/enter?lang=de&token=${token}#top`);
  expect(token).toMatch(/^lkl_live_[0-9A-Za-z]{38}$/);
  expect([issued.expiresAt, issued.loginToken]).toEqual([
    '2026-03-01T10:05:00.123Z',
    {
      id: expect.stringMatching(/^login_/),
      customer: { id: visit.customerId },
      product: { id: visit.productId, sku: expect.any(String) },
      expiresAt: '2026-03-01T10:05:00.123Z',
      redeemedAt: null,
      testMode: false,
      createdAt: '2026-03-01T10:00:00.123Z',
      updatedAt: '2026-03-01T10:00:00.123Z',
    },
  ]);
  api.setNow('2026-03-01T10:05:00.122Z');
  const { redeemLoginToken: redeemed } = (await redeeming(live, token)).data;
  expect(redeemed).toEqual({
    authenticatedIdentity: { identifier: 'K109025530', ...erika },
    loginToken: {
      id: issued.loginToken.id,
      product: { id: visit.productId },
      redeemedAt: '2026-03-01T10:05:00.122Z',
    },
    userErrors: [],
  });
  expect((await redeeming(live, token)).data.redeemLoginToken).toEqual(notValid);
  api.setNow(null);
  const changes = await changesOf(api, issued.loginToken.id);
  expect(changes.map(({ type, sequence, before, after }) => [type, sequence, before, after])).toEqual([
    ['login_token.issued', 1, null, null],
    ['login_token.redeemed', 2, { redeemedAt: null }, { redeemedAt: '2026-03-01T10:05:00.122Z' }],
  ]);
  const stored = await rows();
  for (const secret of [token, tokenHash(token).toString('base64'), token.slice(9, 30)]) {
    expect(stored).not.toContain(secret);
  }
  expect(stored.split(tokenHash(token).toString('hex'))).toHaveLength(2);
  expect(JSON.stringify(changes)).not.toMatch(new RegExp(`Erika|erika|${tokenHash(token).toString('hex')}`));
});

test('of 50 services that redeem one token at once, one is told', async () => {
  const business = await newBusiness(api);
  const token = tokenOf(await newLoginToken(api, business.live, await newVisit(business)));
  // Held until as many wait for it as the server has connections, so that they do meet.
  const held = await holdRows(api, 'SELECT 1 FROM login_tokens WHERE token_hash = $1 FOR UPDATE', [tokenHash(token)]);
  const waiting = Array.from({ length: 50 }, (_, i) =>
    redeeming(business.live, token, i % 2 ? { idempotencyKey: `visit ${i}` } : {}),
  );
  await held.waiters(24);
  await held.release();
  const answers = await Promise.all(waiting);
  const payloads = answers.map(({ data }) => data.redeemLoginToken);
  const told = payloads.filter(({ userErrors }) => userErrors.length === 0);
  expect(told.map(({ authenticatedIdentity }) => authenticatedIdentity.email)).toEqual(['erika@example.com']);
  expect(payloads.filter(({ userErrors }) => userErrors.length > 0)).toEqual(Array<object>(49).fill(notValid));
  expect(await changesOf(api, told[0].loginToken.id)).toHaveLength(2);
});

test('expired, used, another vendor’s, the other mode’s, another brand’s, an erased customer’s and unknown tokens answer alike', async () => {
  const [business, other] = [await newBusiness(api), await newBusiness(api)];
  const { live } = business;
  await api.data({
    token: live,
    query: `mutation { createBrand(input: { name: "Second", url: "second-${rowId(business.id)}.example.com" }) { userErrors { message } } }`,
  });
  const visit = await newVisit(business);
  const fresh = async (of = visit, token = live) => tokenOf(await newLoginToken(api, token, of));
  const used = await fresh();
  await redeeming(live, used);
  const erased = await newVisit(business, {});
  const ofErased = await fresh(erased);
  await api.data({
    token: live,
    query: `mutation ($input: EraseCustomerInput!) { eraseCustomer(input: $input) { userErrors { message } } }`,
    variables: { input: { customerId: erased.customerId } },
  });
  const issuer = await newApiKey(api, live, ['CUSTOMERS_WRITE']);
  const ofRevoked = await fresh(visit, issuer);
  const { apiKeys } = await api.data({ token: live, query: '{ apiKeys(first: 1) { nodes { id name } } }' });
  expect(apiKeys.nodes[0].name).toBe('Narrow');
  await api.data({
    token: live,
    query: `mutation ($input: RevokeApiKeyInput!) { revokeApiKey(input: $input) { userErrors { message } } }`,
    variables: { input: { apiKeyId: apiKeys.nodes[0].id } },
  });
  const inTest = await fresh(
    { customerId: await newCustomer(api, business.test), productId: visit.productId },
    business.test,
  );
  expect(inTest).toMatch(/^lkl_test_/);
  const brand = { 'brand-url': `second-${rowId(business.id)}.example.com` };
  const mine = await fresh();
  const expired = await fresh();
  const cases: [name: string, value: string, token: string, headers: object][] = [
    ['used', used, live, {}],
    ["another vendor's", mine, other.live, {}],
    ["the other mode's", inTest, live, {}],
    ["the other mode's, the other way", mine, business.test, {}],
    ["another brand's", mine, live, brand],
    ["an erased customer's", ofErased, live, {}],
    ["a revoked API key's", ofRevoked, live, {}],
    ['unknown', 'lkl_live_00000000000000000000000000000000000000', live, {}],
    ['mistyped', `${mine}x`, live, {}],
    ['in another case', mine.toUpperCase(), live, {}],
    ['no token at all', '', live, {}],
    ['an API key', live, live, {}],
  ];
  const answers: string[] = [];
  const before = await rows();
  for (const [name, value, token, headers] of cases) {
    for (const fields of [{}, { idempotencyKey: name }]) {
      const { status, data, errors, extensions } = await redeeming(token, value, fields, headers);
      expect([name, data?.redeemLoginToken, errors]).toEqual([name, notValid, undefined]);
      answers.push(JSON.stringify([status, data, extensions]));
    }
  }
  api.setNow(new Date(Date.now() + 5 * 60_000 + 1_000));
  const { status, data, extensions } = await redeeming(live, expired);
  answers.push(JSON.stringify([status, data, extensions]));
  api.setNow(null);
  expect(new Set(answers).size).toBe(1);
  expect(await rows()).toBe(before);
  // None of that used the token up.
  expect(codes(await redeeming(live, mine), 'redeemLoginToken')).toEqual([]);
});

test('a refused token takes the one statement that every other takes', async () => {
  const business = await newBusiness(api);
  const { live } = business;
  const visit = await newVisit(business);
  const used = tokenOf(await newLoginToken(api, live, visit));
  await redeeming(live, used);
  const elsewhere = await newBusiness(api);
  const foreign = tokenOf(await newLoginToken(api, elsewhere.live, await newVisit(elsewhere)));
  const texts: unknown[][] = [];
  const { pool } = api.db.writer;
  for (const value of [used, foreign, 'unknown', '']) {
    const sent: unknown[] = [];
    const client = await pool.connect();
    const original = client.query.bind(client);
    client.query = ((query: string | { text: string }, ...rest: unknown[]) => {
      sent.push(typeof query === 'string' ? query : query.text);
      return (original as (...all: unknown[]) => unknown)(query, ...rest);
    }) as typeof client.query;
    client.release();
    const reads = await api.countStatements(() => redeeming(live, value));
    client.query = original;
    texts.push([reads, ...sent]);
  }
  expect(texts[0]?.length).toBe(4);
  expect(texts).toEqual(Array<unknown>(4).fill(texts[0]));
});

test('a retry under one key gets the same answer, of which the record keeps ids alone and the URL only sealed', async () => {
  const business = await newBusiness(api);
  const { live } = business;
  const visit = await newVisit(business);
  const first = await issuing(live, { ...visit, idempotencyKey: 'go' });
  const again = await issuing(live, { ...visit, idempotencyKey: 'go' });
  expect([again.data, again.extensions.idempotency]).toEqual([
    first.data,
    [{ path: ['issueLoginToken'], replayed: true }],
  ]);
  const token = tokenOf(first.data.issueLoginToken.url);
  const told = await redeeming(live, token, { idempotencyKey: 'visit' });
  const retold = await redeeming(live, token, { idempotencyKey: 'visit' });
  expect([retold.data, retold.extensions.idempotency]).toEqual([
    told.data,
    [{ path: ['redeemLoginToken'], replayed: true }],
  ]);
  expect(codes(await redeeming(live, token, { idempotencyKey: 'other' }), 'redeemLoginToken')).toHaveLength(1);
  const records = await api.db.sql<{ mutation: string; result: object; sealed: boolean; bytes: string }>(
    null,
    `SELECT mutation, result, secret IS NOT NULL AS sealed, to_jsonb(r)::text AS bytes FROM idempotency_records r
      WHERE result ? 'loginTokenId' ORDER BY mutation, created_at DESC`,
    [],
  );
  const [issuedRecord, redeemedRecord] = ['issueLoginToken', 'redeemLoginToken'].map((name) =>
    records.find(({ mutation }) => mutation === name),
  );
  const loginTokenId = rowId(first.data.issueLoginToken.loginToken.id);
  expect([issuedRecord?.result, issuedRecord?.sealed]).toEqual([{ loginTokenId }, true]);
  expect(redeemedRecord?.result).toEqual({ loginTokenId, customerId: rowId(visit.customerId) });
  expect(JSON.stringify(records)).not.toMatch(new RegExp(`${token}|studio|Erika|erika`));
  // After the erasure nothing of the person is told again: the record of the call is no longer that call's.
  await api.data({
    token: live,
    query: `mutation ($input: EraseCustomerInput!) { eraseCustomer(input: $input) { userErrors { message } } }`,
    variables: { input: { customerId: visit.customerId } },
  });
  const late = await redeeming(live, token, { idempotencyKey: 'visit' });
  expect([late.status, codes(late, 'redeemLoginToken')]).toEqual([409, ['IDEMPOTENCY_CONFLICT']]);
});

test('issuing is refused, and changes nothing, where customer, brand, product or its URL do not fit', async () => {
  const [business, other] = [await newBusiness(api), await newBusiness(api)];
  const { live } = business;
  const visit = await newVisit(business);
  const bare = await newProduct(api, live);
  const theirs = await newVisit(other);
  const brandUrl = `third-${rowId(business.id)}.example.com`;
  await api.data({
    token: live,
    query: `mutation { createBrand(input: { name: "Third", url: "${brandUrl}" }) { userErrors { message } } }`,
  });
  const erased = await newCustomer(api, live);
  await api.data({
    token: live,
    query: `mutation ($input: EraseCustomerInput!) { eraseCustomer(input: $input) { userErrors { message } } }`,
    variables: { input: { customerId: erased } },
  });
  const before = await rows();
  const outcome = async (input: object, token = live, headers = {}) =>
    codes(await issuing(token, { ...visit, ...input }, headers), 'issueLoginToken');
  expect(await outcome({ customerId: theirs.customerId })).toEqual(['CUSTOMER_NOT_FOUND input.customerId']);
  expect(await outcome({ customerId: visit.productId })).toEqual(['CUSTOMER_NOT_FOUND input.customerId']);
  expect(await outcome({}, business.test)).toEqual(['MODE_MISMATCH input.customerId']);
  expect(await outcome({}, live, { 'brand-url': brandUrl })).toEqual(['BRAND_MISMATCH input.customerId']);
  expect(await outcome({ customerId: erased })).toEqual(['CUSTOMER_ERASED input.customerId']);
  expect(await outcome({ productId: theirs.productId })).toEqual(['PRODUCT_NOT_FOUND input.productId']);
  expect(await outcome({ productId: visit.customerId })).toEqual(['PRODUCT_NOT_FOUND input.productId']);
  expect(await outcome({ productId: bare })).toEqual(['SERVICE_URL_MISSING input.productId']);
  expect(await rows()).toBe(before);
});

test('only an API key with the scope issues or redeems; a login token is no bearer token', async () => {
  const business = await newBusiness(api);
  const { live } = business;
  const visit = await newVisit(business);
  const token = tokenOf(await newLoginToken(api, live, visit));
  const session = await newSession(api, live, visit.customerId);
  const [reader, writer] = [
    await newApiKey(api, live, ['CUSTOMERS_READ']),
    await newApiKey(api, live, ['CUSTOMERS_WRITE']),
  ];
  const before = await rows();
  for (const caller of [session, adminToken, reader]) {
    expect(codes(await issuing(caller, visit), 'issueLoginToken')).toEqual(['FORBIDDEN']);
  }
  for (const caller of [session, adminToken, writer]) {
    expect(codes(await redeeming(caller, token), 'redeemLoginToken')).toEqual(['FORBIDDEN']);
  }
  for (const caller of [null, token]) {
    expect([(await issuing(caller, visit)).status, (await redeeming(caller, token)).status]).toEqual([401, 401]);
  }
  expect(await rows()).toBe(before);
  expect(codes(await issuing(writer, visit), 'issueLoginToken')).toEqual([]);
  expect(codes(await redeeming(reader, token), 'redeemLoginToken')).toEqual([]);
});

test('many customers are let in at once, each with a token of its own; an erasure is waited for', async () => {
  const business = await newBusiness(api);
  const { live } = business;
  const visit = await newVisit(business, {});
  const urls = await Promise.all(Array.from({ length: 16 }, () => newLoginToken(api, live, visit)));
  expect(new Set(urls).size).toBe(16);
  const erase = 'UPDATE customers SET erased_at = now(), first_name = NULL, last_name = NULL WHERE id = $1';
  const held = await holdRows(api, erase, [rowId(visit.customerId)]);
  const waiting = redeeming(live, tokenOf(urls[0] as string));
  const issued = issuing(live, visit);
  await held.waiters(2);
  await held.release();
  expect((await waiting).data.redeemLoginToken).toEqual(notValid);
  expect(codes(await issued, 'issueLoginToken')).toEqual(['CUSTOMER_ERASED input.customerId']);
});

test('the schedule removes tokens a day after they expired, and their history stays', async () => {
  const business = await newBusiness(api);
  const { live } = business;
  const visit = await newVisit(business);
  api.setNow('2020-01-01T00:00:00.000Z');
  const [old, usedOld] = [await issuing(live, visit), await issuing(live, visit)];
  await redeeming(live, tokenOf(usedOld.data.issueLoginToken.url));
  api.setNow(null);
  const ids = [old, usedOld].map(({ data }) => data.issueLoginToken.loginToken.id as string);
  const run = (now: string) =>
    forgetLoginTokens({ db: api.db, clock: () => new Date(now), keyring: undefined as never, mailFolder: null });
  expect(await run('2020-01-02T00:04:59.999Z')).toBe(0);
  expect(await run('2020-01-02T00:05:00.000Z')).toBe(2);
  const { nodes } = await api.data({
    token: live,
    query: 'query ($ids: [ID!]!) { nodes(ids: $ids) { id } }',
    variables: { ids },
  });
  expect(nodes).toEqual([null, null]);
  expect((await changesOf(api, ids[1] as string)).map(({ type }) => type)).toEqual([
    'login_token.issued',
    'login_token.redeemed',
  ]);
});
