import { beforeAll, expect, test } from '@jest/globals';
import { useApi } from '../support/api.js';
import { newApiKey, newBusiness, newCustomer, newSession } from '../support/business.js';
import { newWallet, creditWallet } from '../support/wallets.js';
import { buy, newShop, now, type Shop } from '../purchases/shop.js';

const api = useApi();

beforeAll(() => api.setNow(now));

const bought = async (shop: Shop, input: object = {}) => {
  const answer = await buy(api, shop.token, { ...shop.input, ...input });
  return answer.data.purchaseLicensesByWallet.order as { id: string; number: string };
};

test('orders that share an instant are paged without gaps or repeats', async () => {
  const shop = await newShop(api);
  const ids: string[] = [];
  for (let i = 0; i < 7; i++) ids.push((await bought(shop)).id);
  const query = `query ($after: String) { orders(first: 3, after: $after, orderBy: { direction: ASC }) {
    nodes { id } pageInfo { hasNextPage endCursor } totalCount } }`;
  const seen: string[] = [];
  let after: string | null = null;
  do {
    const { orders }: any = await api.data({ token: shop.token, query, variables: { after } });
    expect(orders.totalCount).toBe(7);
    seen.push(...orders.nodes.map((node: { id: string }) => node.id));
    after = orders.pageInfo.hasNextPage ? orders.pageInfo.endCursor : null;
  } while (after);
  expect(seen).toEqual(ids);
});

test('orders are found by id, number, customer, status and time, and by node', async () => {
  const shop = await newShop(api);
  const { live } = shop.business;
  const first = await bought(shop);
  api.setNow('2026-12-02T12:00:00.000Z');
  const other = await newCustomer(api, live);
  const walletId = await newWallet(api, live, { customerId: other });
  await creditWallet(api, live, walletId, '10');
  const second = await bought(shop, { walletId });
  api.setNow(now);
  const found = await api.data({
    token: shop.token,
    query: `query ($first: ID!, $number: String!, $customer: ID!) {
      byId: orders(where: { id: { in: [$first] } }) { nodes { id } }
      byNumber: orders(where: { number: { in: [$number] } }) { nodes { id } }
      byCustomer: orders(where: { customerId: { in: [$customer] } }) { nodes { id } }
      completed: orders(where: { status: { in: [COMPLETED, DRAFT] } }) { nodes { id } }
      drafts: orders(where: { status: { in: [DRAFT] } }) { nodes { id } }
      late: orders(where: { createdAt: { gte: "2026-12-02T12:00:00Z" } }) { nodes { id } }
      early: orders(where: { createdAt: { lt: "2026-12-02T12:00:00Z" } }) { nodes { id } }
      customer(id: $customer) { orders { nodes { id } totalCount } }
      node(id: $first) { ... on Order { number lines { id } } }
    }`,
    variables: { first: first.id, number: second.number, customer: other },
  });
  const [one, two] = [{ nodes: [{ id: first.id }] }, { nodes: [{ id: second.id }] }];
  expect(found).toEqual({
    byId: one,
    byNumber: two,
    byCustomer: two,
    completed: { nodes: [{ id: second.id }, { id: first.id }] },
    drafts: { nodes: [] },
    late: two,
    early: one,
    customer: { orders: { ...two, totalCount: 1 } },
    node: { number: first.number, lines: [{ id: expect.stringMatching(/^line_[0-9a-hjkmnp-tv-z]{26}$/) }] },
  });
  const line = await api.data({
    token: shop.token,
    query: `query ($id: ID!) { node(id: $id) { ... on OrderLine { position quantity unitAmount { amount } total { amount } } } }`,
    variables: { id: found.node.lines[0].id },
  });
  expect(line.node).toEqual({ position: 1, quantity: 1, unitAmount: { amount: '10.00' }, total: { amount: '10.00' } });
});

test('others do not see an order; nor does a key without the scope, and what it may not read is null', async () => {
  const shop = await newShop(api);
  const { live, test: inTest } = shop.business;
  const { id } = await bought(shop);
  const stranger = await newSession(api, live, await newCustomer(api, live));
  const query = 'query ($id: ID!) { order(id: $id) { id } node(id: $id) { id } orders { nodes { id } } }';
  for (const token of [inTest, stranger, (await newBusiness(api)).live]) {
    expect(await api.data({ token, query, variables: { id } })).toEqual({
      order: null,
      node: null,
      orders: { nodes: [] },
    });
  }
  const blind = await newApiKey(api, live, ['WALLETS_READ']);
  const denied = await api.call({ token: blind, query, variables: { id } });
  expect(denied.errors?.map((error) => [error.extensions.code, error.path?.[0]])).toEqual([
    ['FORBIDDEN', 'order'],
    ['FORBIDDEN', 'node'],
    ['FORBIDDEN', 'orders'],
  ]);
  const narrow = await newApiKey(api, live, ['ORDERS_READ']);
  const partly = await api.call({
    token: narrow,
    query: `query ($id: ID!) { order(id: $id) { total { amount } customer { name } wallet { id } licenses { totalCount } ledgerTransaction { id } } }`,
    variables: { id },
  });
  expect(partly.data.order).toEqual({
    total: { amount: '10.00' },
    customer: { name: 'Erika Mustermann' },
    wallet: null,
    licenses: null,
    ledgerTransaction: null,
  });
  expect(partly.errors?.map((error) => error.path?.join('.')).sort()).toEqual([
    'order.ledgerTransaction',
    'order.licenses',
    'order.wallet',
  ]);
});

test('50 orders with all that belongs to them cost as many statements as 5', async () => {
  const query = `query ($first: Int) { orders(first: $first) { nodes {
    number customer { name } wallet { balance { amount } } total { amount } ledgerTransaction { kind }
    lines { unitAmount { amount } package { name } subscriptionType { days } } licenses(first: 2) { nodes { number } } } } }`;
  const statements = async (count: number) => {
    const shop = await newShop(api, { funds: '1000' });
    await Promise.all(Array.from({ length: count }, () => bought(shop, { quantity: 2 })));
    const call = { token: shop.token, query, variables: { first: count } };
    const { orders } = await api.data(call);
    expect(orders.nodes).toHaveLength(count);
    expect(orders.nodes.every((node: { licenses: { nodes: object[] } }) => node.licenses.nodes.length === 2)).toBe(
      true,
    );
    // The fewest: the look-up of the token, remembered for a second, is in some of the measurements only.
    const counts: number[] = [];
    for (let i = 0; i < 4; i++) counts.push(await api.countStatements(() => api.data(call)));
    return Math.min(...counts);
  };
  expect(await statements(50)).toBe(await statements(5));
});
