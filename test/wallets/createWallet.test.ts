import { expect, test } from '@jest/globals';
import { useApi } from '../support/api.js';
import { newApiKey, newBusiness, newCustomer, newSession } from '../support/business.js';
import { expectInvariants } from '../support/invariants.js';
import { newWallet } from '../support/wallets.js';

const api = useApi();

const create = `mutation ($input: CreateWalletInput!) {
  createWallet(input: $input) {
    wallet {
      id customer { id } brand { id } currencyCode balance { amount currencyCode minorUnits } isDefault
      ledgerEntries { nodes { id } totalCount } testMode version createdAt updatedAt
    }
    userErrors { __typename message path code }
  }
}`;

const walletsOf = async (token: string, customerId: string) => {
  const query = `query ($id: ID!) { wallets(where: { customerId: { in: [$id] } }, orderBy: { direction: ASC }) {
    nodes { id isDefault version } } }`;
  const { wallets } = await api.data({ token, query, variables: { id: customerId } });
  return wallets.nodes;
};

test('createWallet makes an empty wallet in the customer’s brand, the default as it is the first', async () => {
  const business = await newBusiness(api);
  const customerId = await newCustomer(api, business.test);
  api.setNow('2026-03-01T10:00:00.000Z');
  const { createWallet } = await api.data({
    token: business.test,
    query: create,
    variables: { input: { customerId, currencyCode: 'KWD' } },
  });
  api.setNow(null);
  expect(createWallet).toEqual({
    wallet: {
      id: expect.stringMatching(/^wal_[0-9a-hjkmnp-tv-z]{26}$/),
      customer: { id: customerId },
      brand: { id: business.brandId },
      currencyCode: 'KWD',
      balance: { amount: '0.000', currencyCode: 'KWD', minorUnits: '0' },
      isDefault: true,
      ledgerEntries: { nodes: [], totalCount: 0 },
      testMode: true,
      version: 1,
      createdAt: '2026-03-01T10:00:00.000Z',
      updatedAt: '2026-03-01T10:00:00.000Z',
    },
    userErrors: [],
  });
  const changes = await api.db.sql(
    null,
    `SELECT type, sequence, object_type FROM changes WHERE type LIKE 'wallet.%'`,
    [],
  );
  expect(changes).toEqual([{ type: 'wallet.created', sequence: 1, object_type: 'Wallet' }]);
  await expectInvariants(api.db);
});

test('one default in each currency: the second is none unless asked, and then takes it from the first', async () => {
  const { live } = await newBusiness(api);
  const customerId = await newCustomer(api, live);
  const first = await newWallet(api, live, { customerId });
  const second = await newWallet(api, live, { customerId });
  const euros = await newWallet(api, live, { customerId, currencyCode: 'EUR', isDefault: false });
  expect(await walletsOf(live, customerId)).toEqual([
    { id: first, isDefault: true, version: 1 },
    { id: second, isDefault: false, version: 1 },
    { id: euros, isDefault: false, version: 1 },
  ]);
  const third = await newWallet(api, live, { customerId, isDefault: true });
  expect(await walletsOf(live, customerId)).toEqual([
    { id: first, isDefault: false, version: 2 },
    { id: second, isDefault: false, version: 1 },
    { id: euros, isDefault: false, version: 1 },
    { id: third, isDefault: true, version: 1 },
  ]);
  const changes = await api.db.sql(
    null,
    `SELECT sequence, before, after FROM changes WHERE type = 'wallet.updated'`,
    [],
  );
  expect(changes).toEqual([{ sequence: 2, before: { isDefault: true }, after: { isDefault: false } }]);
});

test('createWallet refuses what is not there and another brand, and creates nothing', async () => {
  const business = await newBusiness(api);
  const { live } = business;
  const customerId = await newCustomer(api, live);
  const inTest = await newCustomer(api, business.test);
  const url = 'outlet.' + business.brandUrl;
  await api.data({
    token: live,
    query: `mutation ($input: CreateBrandInput!) { createBrand(input: $input) { userErrors { message } } }`,
    variables: { input: { name: 'Outlet', url } },
  });
  const refusalOf = async (id: string, headers = {}) => {
    const variables = { input: { customerId: id, currencyCode: 'USD' } };
    const { createWallet } = (await api.call({ token: live, query: create, variables, headers })).data;
    expect(createWallet.wallet).toBeNull();
    return createWallet.userErrors.map(({ code, path }: { code: string; path: string[] }) => [code, path.join('.')]);
  };
  expect(await refusalOf('cus_00000000000000000000000000')).toEqual([['CUSTOMER_NOT_FOUND', 'input.customerId']]);
  expect(await refusalOf('nonsense')).toEqual([['CUSTOMER_NOT_FOUND', 'input.customerId']]);
  expect(await refusalOf(inTest)).toEqual([['MODE_MISMATCH', 'input.customerId']]);
  expect(await refusalOf(customerId, { 'brand-url': url })).toEqual([['BRAND_MISMATCH', 'input.customerId']]);
  expect(await walletsOf(live, customerId)).toEqual([]);
  const unknown = await api.call({
    token: live,
    query: create,
    variables: { input: { customerId, currencyCode: 'usd' } },
  });
  expect(unknown.errors?.map((error) => error.extensions.code)).toEqual(['BAD_USER_INPUT']);
});

test('of ten default wallets made at once, one stays the default', async () => {
  const { live } = await newBusiness(api);
  const customerId = await newCustomer(api, live);
  await Promise.all(Array.from({ length: 10 }, () => newWallet(api, live, { customerId, isDefault: true })));
  const wallets = await walletsOf(live, customerId);
  expect(wallets).toHaveLength(10);
  expect(wallets.filter((wallet: { isDefault: boolean }) => wallet.isDefault)).toHaveLength(1);
  await expectInvariants(api.db);
});

test('first wallets of many customers in a new currency at once share the business’s two accounts', async () => {
  const { live } = await newBusiness(api);
  const customers = await Promise.all(Array.from({ length: 8 }, () => newCustomer(api, live)));
  await Promise.all(customers.map((customerId) => newWallet(api, live, { customerId, currencyCode: 'SEK' })));
  const accounts = await api.db.sql(
    null,
    `SELECT kind::text, count(*)::int FROM ledger_accounts WHERE currency = 'SEK' GROUP BY kind ORDER BY kind::text`,
    [],
  );
  expect(accounts).toEqual([
    { kind: 'FUNDING', count: 1 },
    { kind: 'SALES', count: 1 },
    { kind: 'WALLET', count: 8 },
  ]);
});

test('a foreign customer answers as an unknown one; narrow keys, sessions and strangers may not', async () => {
  const [mine, theirs] = [await newBusiness(api), await newBusiness(api)];
  const customerId = await newCustomer(api, theirs.live);
  const variables = { input: { customerId, currencyCode: 'USD' } };
  const foreign = await api.call({ token: mine.live, query: create, variables });
  expect(foreign.data.createWallet.userErrors.map((error: { code: string }) => error.code)).toEqual([
    'CUSTOMER_NOT_FOUND',
  ]);
  const narrow = await newApiKey(api, theirs.live, ['WALLETS_READ']);
  const session = await newSession(api, theirs.live, customerId);
  for (const [token, code] of [
    [narrow, 'FORBIDDEN'],
    [session, 'FORBIDDEN'],
    [null, 'UNAUTHENTICATED'],
  ]) {
    const denied = await api.call({ token, query: create, variables });
    expect(denied.errors?.map((error) => error.extensions.code)).toEqual([code]);
  }
  expect(await walletsOf(theirs.live, customerId)).toEqual([]);
});
