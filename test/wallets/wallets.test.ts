import { expect, test } from '@jest/globals';
import { useApi } from '../support/api.js';
import { newApiKey, newBusiness, newCustomer, newSession } from '../support/business.js';
import { creditWallet, newWallet } from '../support/wallets.js';

const api = useApi();

/** The fewest of some measurements: the look-up of the token, remembered for a second, is in some of them only. */
async function fewestStatements(work: () => Promise<unknown>): Promise<number> {
  const counts: number[] = [];
  for (let i = 0; i < 4; i++) counts.push(await api.countStatements(work));
  return Math.min(...counts);
}

test('a ledger is paged without gaps or repeats, filtered and ordered', async () => {
  const { live } = await newBusiness(api);
  const walletId = await newWallet(api, live);
  api.setNow('2026-12-01T10:00:00.000Z');
  for (let i = 1; i <= 11; i++) await creditWallet(api, live, walletId, `${i}`);
  api.setNow(null);
  const query = `query ($id: ID!, $after: String) { wallet(id: $id) { ledgerEntries(first: 4, after: $after) {
    nodes { sequence amount { amount } } pageInfo { hasNextPage endCursor } totalCount totalCountIsCapped } } }`;
  const seen: string[] = [];
  let after: string | null = null;
  do {
    const { wallet }: any = await api.data({ token: live, query, variables: { id: walletId, after } });
    const { nodes, pageInfo, totalCount, totalCountIsCapped } = wallet.ledgerEntries;
    expect([totalCount, totalCountIsCapped]).toEqual([11, false]);
    seen.push(...nodes.map((node: { sequence: string; amount: { amount: string } }) => node.sequence));
    after = pageInfo.hasNextPage ? pageInfo.endCursor : null;
  } while (after);
  expect(seen).toEqual(['11', '10', '9', '8', '7', '6', '5', '4', '3', '2', '1']);
  const { wallet } = await api.data({
    token: live,
    query: `query ($id: ID!) { wallet(id: $id) {
      oldest: ledgerEntries(first: 1, orderBy: { direction: ASC }) { nodes { sequence } }
      out: ledgerEntries(where: { isCredit: false }) { totalCount }
      early: ledgerEntries(where: { createdAt: { lt: "2026-12-01T10:00:00.000Z" } }) { totalCount }
      late: ledgerEntries(where: { createdAt: { gte: "2026-12-01T10:00:00.000Z" } }) { totalCount } } }`,
    variables: { id: walletId },
  });
  expect(wallet).toEqual({
    oldest: { nodes: [{ sequence: '1' }] },
    out: { totalCount: 0 },
    early: { totalCount: 0 },
    late: { totalCount: 11 },
  });
});

test('wallets are found by id, customer and currency, and by node', async () => {
  const { live } = await newBusiness(api);
  const customerId = await newCustomer(api, live);
  const dollars = await newWallet(api, live, { customerId });
  const euros = await newWallet(api, live, { customerId, currencyCode: 'EUR' });
  await creditWallet(api, live, dollars, '3');
  await newWallet(api, live);
  const found = await api.data({
    token: live,
    query: `query ($dollars: ID!, $customer: ID!) {
      byId: wallets(where: { id: { in: [$dollars] } }) { nodes { id } }
      byCustomer: wallets(where: { customerId: { in: [$customer] } }, orderBy: { direction: ASC }) { nodes { id } totalCount }
      both: wallets(where: { customerId: { in: [$customer] }, currencyCode: { in: ["EUR"] } }) { nodes { id } }
      customer(id: $customer) { wallets(first: 1) { nodes { id } totalCount } }
      node(id: $dollars) { ... on Wallet { balance { amount } ledgerEntries { nodes { id transaction { id } } } } }
    }`,
    variables: { dollars, customer: customerId },
  });
  expect(found).toEqual({
    byId: { nodes: [{ id: dollars }] },
    byCustomer: { nodes: [{ id: dollars }, { id: euros }], totalCount: 2 },
    both: { nodes: [{ id: euros }] },
    customer: { wallets: { nodes: [{ id: euros }], totalCount: 2 } },
    node: {
      balance: { amount: '3.00' },
      ledgerEntries: {
        nodes: [{ id: expect.stringMatching(/^lent_/), transaction: { id: expect.stringMatching(/^ltx_/) } }],
      },
    },
  });
  const [entry] = found.node.ledgerEntries.nodes;
  const { nodes } = await api.data({
    token: live,
    query: `query ($ids: [ID!]!) { nodes(ids: $ids) { ... on LedgerEntry { amount { amount } } ... on LedgerTransaction { kind } } }`,
    variables: { ids: [entry.id, entry.transaction.id] },
  });
  expect(nodes).toEqual([{ amount: { amount: '3.00' } }, { kind: 'CREDIT' }]);
});

test('a session sees its own wallets; another customer, business or mode sees none of it', async () => {
  const [business, other] = [await newBusiness(api), await newBusiness(api)];
  const customerId = await newCustomer(api, business.live);
  const walletId = await newWallet(api, business.live, { customerId });
  await creditWallet(api, business.live, walletId, '7');
  const seenBy = async (token: string) => {
    const query = `query ($id: ID!) { wallet(id: $id) { balance { amount } ledgerEntries { totalCount } } node(id: $id) { id }
      wallets { nodes { id } } }`;
    return api.data({ token, query, variables: { id: walletId } });
  };
  expect(await seenBy(await newSession(api, business.live, customerId))).toEqual({
    wallet: { balance: { amount: '7.00' }, ledgerEntries: { totalCount: 1 } },
    node: { id: walletId },
    wallets: { nodes: [{ id: walletId }] },
  });
  const stranger = await newSession(api, business.live, await newCustomer(api, business.live));
  for (const token of [stranger, business.test, other.live]) {
    expect(await seenBy(token)).toEqual({ wallet: null, node: null, wallets: { nodes: [] } });
  }
  const narrow = await newApiKey(api, business.live, ['WALLETS_WRITE']);
  const denied = await api.call({ token: narrow, query: '{ wallets { nodes { id } } }' });
  expect(denied.errors?.map((error) => error.extensions.code)).toEqual(['FORBIDDEN']);
});

test('wallets with their ledgers cost as many statements for 3 as for 30', async () => {
  const { live } = await newBusiness(api);
  const statements = async (count: number) => {
    const customerId = await newCustomer(api, live);
    const ids = await Promise.all(Array.from({ length: count }, () => newWallet(api, live, { customerId })));
    await Promise.all(ids.map((id) => creditWallet(api, live, id, '1')));
    const query = `query ($id: ID!) { wallets(first: 30, where: { customerId: { in: [$id] } }) { nodes {
      customer { id } brand { id } ledgerEntries(first: 2) { nodes { amount { amount } wallet { id } transaction { kind order { id } } } } } } }`;
    const call = { token: live, query, variables: { id: customerId } };
    return fewestStatements(() => api.data(call));
  };
  expect(await statements(30)).toBe(await statements(3));
});
