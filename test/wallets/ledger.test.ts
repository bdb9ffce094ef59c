import { expect, test } from '@jest/globals';
import { parseGlobalId } from '../../src/kernel/id.js';
import { useApi } from '../support/api.js';
import { newBusiness } from '../support/business.js';
import { expectInvariants } from '../support/invariants.js';
import { creditWallet, newWallet } from '../support/wallets.js';

const api = useApi();

/** SQLSTATE that the database answers with; tests run as the owner of the tables, whom grants do not stop. */
async function stateOf(statement: string, values: unknown[] = []): Promise<string> {
  try {
    await api.db.sql(null, statement, values);
    return 'done';
  } catch (error) {
    return (error as { code: string }).code;
  }
}

const [RESTRICT, FOREIGN_KEY, UNIQUE, CHECK] = ['23001', '23503', '23505', '23514'];

async function funded(): Promise<{ walletId: string; wallet: string; live: string }> {
  const { live } = await newBusiness(api);
  const wallet = await newWallet(api, live);
  await creditWallet(api, live, wallet, '10');
  await newWallet(api, live, { currencyCode: 'EUR' });
  return { walletId: parseGlobalId(wallet)!.uuid, wallet, live };
}

test('the ledger is append-only, even for the owner of the tables', async () => {
  await funded();
  for (const table of ['ledger_transfers', 'ledger_transactions']) {
    expect(await stateOf(`UPDATE ${table} SET created_at = created_at`)).toBe(RESTRICT);
    expect(await stateOf(`DELETE FROM ${table}`)).toBe(RESTRICT);
    expect(await stateOf(`TRUNCATE ${table} CASCADE`)).toBe(RESTRICT);
  }
  await expectInvariants(api.db);
});

test('a balance is what the last transfer left, and never negative', async () => {
  const { walletId, wallet, live } = await funded();
  await creditWallet(api, live, wallet, '1');
  const set = (assignment: string) => stateOf(`UPDATE wallets SET ${assignment} WHERE id = $1`, [walletId]);
  expect(await set('balance_minor = -1')).toBe(CHECK);
  expect(await set('balance_minor = 1099')).toBe(FOREIGN_KEY);
  expect(await set('balance_minor = 1101')).toBe(FOREIGN_KEY);
  expect(await set('ledger_sequence = 3')).toBe(FOREIGN_KEY);
  // Back to an earlier transfer, to none, or past one.
  expect(await set('balance_minor = 1000, ledger_sequence = 1')).toBe(RESTRICT);
  expect(await set('balance_minor = 0, ledger_sequence = NULL')).toBe(RESTRICT);
  expect(await set('ledger_sequence = 4')).toBe(RESTRICT);
  await expectInvariants(api.db);
});

test('a transfer fits the one before it, its accounts and their currency', async () => {
  const { walletId } = await funded();
  const insert = (changes: Record<string, string>) => {
    const columns: Record<string, string> = {
      business_id: 'business_id',
      mode: 'mode',
      id: 'gen_random_uuid()',
      transaction_id: 'transaction_id',
      debit_account_id: 'debit_account_id',
      credit_account_id: 'credit_account_id',
      currency: 'currency',
      amount_minor: '5',
      wallet_id: 'wallet_id',
      wallet_sequence: '2',
      is_credit: 'true',
      balance_before_minor: '1000',
      balance_after_minor: '1005',
      hash: 'hash',
      created_at: 'created_at',
      ...changes,
    };
    const [names, values] = [Object.keys(columns).join(', '), Object.values(columns).join(', ')];
    return stateOf(
      `INSERT INTO ledger_transfers (${names}) SELECT ${values} FROM ledger_transfers WHERE wallet_id = $1`,
      [walletId],
    );
  };
  const euros = `(SELECT id FROM ledger_accounts WHERE business_id = ledger_transfers.business_id AND kind = 'FUNDING' AND currency = 'EUR')`;
  expect(await insert({ currency: `'EUR'` })).toBe(FOREIGN_KEY);
  expect(await insert({ debit_account_id: euros })).toBe(FOREIGN_KEY);
  expect(await insert({ mode: `'TEST'` })).toBe(FOREIGN_KEY);
  expect(await insert({ debit_account_id: 'credit_account_id' })).toBe(CHECK);
  expect(await insert({ amount_minor: '0', balance_after_minor: '1000' })).toBe(CHECK);
  expect(await insert({ amount_minor: '-5', balance_after_minor: '995' })).toBe(CHECK);
  expect(await insert({ balance_after_minor: '1006' })).toBe(CHECK);
  expect(await insert({ is_credit: 'false' })).toBe(CHECK);
  expect(await insert({ balance_before_minor: '2000', balance_after_minor: '2005' })).toBe(FOREIGN_KEY);
  expect(await insert({ wallet_sequence: '3' })).toBe(FOREIGN_KEY);
  expect(await insert({ wallet_sequence: '1', balance_before_minor: '0', balance_after_minor: '5' })).toBe(UNIQUE);
  expect(await insert({ transaction_id: 'gen_random_uuid()' })).toBe(FOREIGN_KEY);
  await expectInvariants(api.db);
});

test('a hash that was changed behind the ledger’s back is found', async () => {
  const { walletId } = await funded();
  await api.db.sql(null, `ALTER TABLE ledger_transactions DISABLE TRIGGER ledger_transactions_append_only`, []);
  const rename = (reason: string | null) =>
    api.db.sql(
      null,
      `UPDATE ledger_transactions SET reason = $2 WHERE id IN (SELECT transaction_id FROM ledger_transfers WHERE wallet_id = $1)`,
      [walletId, reason],
    );
  await rename('a reason that nobody gave');
  await expect(expectInvariants(api.db)).rejects.toThrow();
  await rename(null);
  await api.db.sql(null, `ALTER TABLE ledger_transactions ENABLE TRIGGER ledger_transactions_append_only`, []);
  await expectInvariants(api.db);
});
