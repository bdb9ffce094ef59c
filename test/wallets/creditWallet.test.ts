import { expect, test } from '@jest/globals';
import { parseGlobalId } from '../../src/kernel/id.js';
import { inSqlTransaction } from '../../src/kernel/transaction.js';
import { moveMoney } from '../../src/wallets/moveMoney.js';
import { newId } from '../../src/kernel/id.js';
import { useApi } from '../support/api.js';
import { newApiKey, newBusiness, newCustomer, newSession } from '../support/business.js';
import { expectInvariants } from '../support/invariants.js';
import { balanceOf, creditWallet, newWallet } from '../support/wallets.js';

const api = useApi();

const credit = `mutation ($input: CreditWalletInput!) {
  creditWallet(input: $input) {
    wallet { id balance { amount minorUnits } version updatedAt }
    ledgerEntry {
      id sequence wallet { id } isCredit amount { amount } balanceBefore { amount } balanceAfter { amount } hash createdAt
      transaction { id kind reason reference order { id } createdAt }
    }
    userErrors { __typename message path code ... on CurrencyMismatch { expected } }
  }
}`;

const refusalsOf = async (token: string, input: object, headers = {}) => {
  const answer = await api.call({ token, query: credit, variables: { input }, headers });
  const { creditWallet } = answer.data;
  expect([creditWallet.wallet, creditWallet.ledgerEntry]).toEqual([null, null]);
  return creditWallet.userErrors.map(({ code, path }: { code: string; path: string[] }) => [code, path.join('.')]);
};

test('creditWallet puts money in and writes it into the ledger', async () => {
  const { live } = await newBusiness(api);
  const walletId = await newWallet(api, live);
  await creditWallet(api, live, walletId, '0.10');
  api.setNow('2026-12-01T10:00:00.000Z');
  const input = { walletId, amount: '19.9', currencyCode: 'USD', reason: ' Top-up ', reference: 'pi_42' };
  const { creditWallet: second } = await api.data({ token: live, query: credit, variables: { input } });
  api.setNow(null);
  expect(second).toEqual({
    wallet: {
      id: walletId,
      balance: { amount: '20.00', minorUnits: '2000' },
      version: 3,
      updatedAt: '2026-12-01T10:00:00.000Z',
    },
    ledgerEntry: {
      id: expect.stringMatching(/^lent_[0-9a-hjkmnp-tv-z]{26}$/),
      sequence: '2',
      wallet: { id: walletId },
      isCredit: true,
      amount: { amount: '19.90' },
      balanceBefore: { amount: '0.10' },
      balanceAfter: { amount: '20.00' },
      hash: expect.stringMatching(/^[0-9a-f]{64}$/),
      createdAt: '2026-12-01T10:00:00.000Z',
      transaction: {
        id: expect.stringMatching(/^ltx_[0-9a-hjkmnp-tv-z]{26}$/),
        kind: 'CREDIT',
        reason: 'Top-up',
        reference: 'pi_42',
        order: null,
        createdAt: '2026-12-01T10:00:00.000Z',
      },
    },
    userErrors: [],
  });
  const changes = await api.db.sql(
    null,
    `SELECT sequence, before, after, reason, snapshot, actor_kind AS "actorKind", actor_id IS NOT NULL AS "hasActor",
       actor_name AS "actorName", request_id AS "requestId" FROM changes WHERE object_type = 'Wallet' ORDER BY sequence`,
    [],
  );
  const [created, ...credited] = changes as { snapshot: object; requestId: string }[];
  const { ledgerEntryId, ...snapshot } = credited[1]!.snapshot as { ledgerEntryId: string };
  expect(ledgerEntryId).toBe(parseGlobalId(second.ledgerEntry.id)?.uuid);
  // Written by SQL, and yet as every other change writes a row.
  expect(snapshot).toEqual({
    ...created!.snapshot,
    balanceMinor: '2000',
    ledgerSequence: '2',
    version: 3,
    updatedAt: '2026-12-01T10:00:00.000Z',
  });
  const by = {
    actorKind: 'API_KEY',
    hasActor: true,
    actorName: null,
    requestId: expect.stringMatching(/^[0-9a-f-]{36}$/),
  };
  expect(credited).toEqual([
    {
      sequence: 2,
      before: { balanceMinor: '0' },
      after: { balanceMinor: '10' },
      reason: null,
      snapshot: expect.anything(),
      ...by,
    },
    {
      sequence: 3,
      before: { balanceMinor: '10' },
      after: { balanceMinor: '2000' },
      reason: 'Top-up',
      snapshot: expect.anything(),
      ...by,
    },
  ]);
  await expectInvariants(api.db);
});

test.each([
  ['JPY', '10', '10', 10n],
  ['JPY', '10.0', '10', 10n],
  ['KWD', '0.001', '0.001', 1n],
  ['KWD', '2147483647', '2147483647.000', 2147483647000n],
  ['USD', '0.10', '0.10', 10n],
  ['USD', '0019.900', '19.90', 1990n],
  ['USD', '2147483647', '2147483647.00', 214748364700n],
])('in %s, %s is %s', async (currencyCode, amount, shown, minorUnits) => {
  const { live } = await newBusiness(api);
  const walletId = await newWallet(api, live, { currencyCode });
  const input = { walletId, amount, currencyCode };
  const { creditWallet } = await api.data({ token: live, query: credit, variables: { input } });
  expect(creditWallet.wallet.balance).toEqual({ amount: shown, minorUnits: String(minorUnits) });
});

test('creditWallet refuses, with everything that needs no look at once, and changes nothing', async () => {
  const business = await newBusiness(api);
  const { live } = business;
  const walletId = await newWallet(api, live, { currencyCode: 'JPY' });
  const inTest = await newWallet(api, business.test, { currencyCode: 'JPY' });
  const url = 'outlet.' + business.brandUrl;
  await api.data({
    token: live,
    query: `mutation ($input: CreateBrandInput!) { createBrand(input: $input) { userErrors { message } } }`,
    variables: { input: { name: 'Outlet', url } },
  });
  const input = { walletId, amount: '10', currencyCode: 'JPY' };
  for (const amount of ['0', '-1', '10.5', '2147483648', '0.0', '-0', '9'.repeat(30)]) {
    expect([amount, await refusalsOf(live, { ...input, amount })]).toEqual([
      amount,
      [['INVALID_AMOUNT', 'input.amount']],
    ]);
  }
  expect(
    await refusalsOf(live, { ...input, amount: '10.5', reason: 'x'.repeat(2001), reference: 'x'.repeat(256) }),
  ).toEqual([
    ['INVALID_AMOUNT', 'input.amount'],
    ['INVALID_INPUT', 'input.reason'],
    ['INVALID_INPUT', 'input.reference'],
  ]);
  expect(await refusalsOf(live, { ...input, walletId: 'wal_00000000000000000000000000' })).toEqual([
    ['WALLET_NOT_FOUND', 'input.walletId'],
  ]);
  expect(await refusalsOf(live, { ...input, walletId: inTest })).toEqual([['MODE_MISMATCH', 'input.walletId']]);
  expect(await refusalsOf(live, input, { 'brand-url': url })).toEqual([['BRAND_MISMATCH', 'input.walletId']]);
  const mismatch = await api.call({
    token: live,
    query: credit,
    variables: { input: { ...input, currencyCode: 'USD' } },
  });
  expect(mismatch.data.creditWallet.userErrors).toEqual([
    {
      __typename: 'CurrencyMismatch',
      message: 'The wallet is in JPY. Use that currency, or a wallet in the other one.',
      path: ['input', 'currencyCode'],
      code: 'CURRENCY_MISMATCH',
      expected: 'JPY',
    },
  ]);
  for (const amount of ['1e3', 'NaN', 'Infinity', ' 1', '1,00', '1e309', 9007199254740992]) {
    const answer = await api.call({ token: live, query: credit, variables: { input: { ...input, amount } } });
    expect([amount, answer.errors?.[0]?.extensions.code]).toEqual([amount, 'BAD_USER_INPUT']);
  }
  expect(await balanceOf(api, live, walletId)).toBe(0n);
  expect(await balanceOf(api, business.test, inTest)).toBe(0n);
  await expectInvariants(api.db);
});

test('a wallet holds 2^53 minor units and not one more', async () => {
  const business = await newBusiness(api);
  const walletId = await newWallet(api, business.live);
  await fill(business.id, walletId, 2n ** 53n - 1n);
  const input = { walletId, amount: '0.02', currencyCode: 'USD' };
  expect(await refusalsOf(business.live, input)).toEqual([['BALANCE_LIMIT_EXCEEDED', 'input.amount']]);
  await creditWallet(api, business.live, walletId, '0.01');
  expect(await balanceOf(api, business.live, walletId)).toBe(2n ** 53n);
  expect(await refusalsOf(business.live, { ...input, amount: '0.01' })).toEqual([
    ['BALANCE_LIMIT_EXCEEDED', 'input.amount'],
  ]);
  await expectInvariants(api.db);
});

/** Moves more at once than the API takes, by the step itself. */
async function fill(business: string, wallet: string, amount: bigint): Promise<void> {
  const businessId = parseGlobalId(business)!.uuid;
  const walletId = parseGlobalId(wallet)!.uuid;
  const ctx = {
    db: api.db,
    viewer: { principal: 'SYSTEM', businessId, mode: 'LIVE', brandId: null },
    now: new Date(),
    requestId: 'test',
    actor: null,
    keyring: null as never,
    mailFolder: null,
    guesses: null,
    idempotency: null,
  } as const;
  await inSqlTransaction(ctx, async (tx) => {
    const why = { kind: 'CREDIT', reason: null, reference: null, orderId: null } as const;
    await moveMoney(tx, 'IN', { walletId, currency: 'USD', amount, transactionId: newId(), ...why });
    return {};
  });
}

test('40 credits of one wallet at once all count, in one gapless chain', async () => {
  const { live } = await newBusiness(api);
  const walletId = await newWallet(api, live);
  await Promise.all(Array.from({ length: 40 }, (_, i) => creditWallet(api, live, walletId, `${i + 1}.01`)));
  expect(await balanceOf(api, live, walletId)).toBe(82_040n);
  const query = `query ($id: ID!) { wallet(id: $id) { version ledgerEntries(first: 100, orderBy: { direction: ASC }) {
    nodes { sequence } totalCount } } }`;
  const { wallet } = await api.data({ token: live, query, variables: { id: walletId } });
  expect(wallet.version).toBe(41);
  expect(wallet.ledgerEntries.totalCount).toBe(40);
  expect(wallet.ledgerEntries.nodes.map((node: { sequence: string }) => Number(node.sequence))).toEqual(
    Array.from({ length: 40 }, (_, i) => i + 1),
  );
  await expectInvariants(api.db);
});

test('a credit under a key counts once, also a year later; changed input is a conflict', async () => {
  const { live } = await newBusiness(api);
  const walletId = await newWallet(api, live);
  const input = { walletId, amount: '5', currencyCode: 'USD', idempotencyKey: 'top-up' };
  const first = await api.call({ token: live, query: credit, variables: { input } });
  api.setNow(new Date(Date.now() + 365 * 86_400_000));
  const again = await api.call({ token: live, query: credit, variables: { input } });
  const changed = await api.call({ token: live, query: credit, variables: { input: { ...input, amount: '6' } } });
  api.setNow(null);
  expect(again.data).toEqual(first.data);
  expect([first, again].map(({ extensions }) => extensions.idempotency)).toEqual([
    [{ path: ['creditWallet'], replayed: false }],
    [{ path: ['creditWallet'], replayed: true }],
  ]);
  expect([changed.status, changed.errors?.[0]?.extensions.code]).toEqual([409, 'IDEMPOTENCY_CONFLICT']);
  expect(await balanceOf(api, live, walletId)).toBe(500n);
});

test('a foreign wallet answers as an unknown one; narrow keys, sessions and strangers may not', async () => {
  const [mine, theirs] = [await newBusiness(api), await newBusiness(api)];
  const customerId = await newCustomer(api, theirs.live);
  const walletId = await newWallet(api, theirs.live, { customerId });
  const input = { walletId, amount: '1', currencyCode: 'USD' };
  expect(await refusalsOf(mine.live, input)).toEqual([['WALLET_NOT_FOUND', 'input.walletId']]);
  const narrow = await newApiKey(api, theirs.live, ['WALLETS_READ']);
  const session = await newSession(api, theirs.live, customerId);
  for (const [token, code] of [
    [narrow, 'FORBIDDEN'],
    [session, 'FORBIDDEN'],
    [null, 'UNAUTHENTICATED'],
  ]) {
    const denied = await api.call({ token, query: credit, variables: { input } });
    expect(denied.errors?.map((error) => error.extensions.code)).toEqual([code]);
  }
  expect(await balanceOf(api, theirs.live, walletId)).toBe(0n);
});
