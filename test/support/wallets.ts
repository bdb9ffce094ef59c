import type { Api } from './api.js';
import { newCustomer } from './business.js';

/** Id of a new, empty wallet in USD; of a new customer unless `customerId` is given. Fields as `createWallet` takes them. */
export async function newWallet(api: Api, token: string, fields: Record<string, unknown> = {}): Promise<string> {
  const customerId = fields.customerId ?? (await newCustomer(api, token));
  const { createWallet } = await api.data({
    token,
    query: `mutation ($input: CreateWalletInput!) { createWallet(input: $input) { wallet { id } userErrors { message } } }`,
    variables: { input: { currencyCode: 'USD', ...fields, customerId } },
  });
  return createWallet.wallet.id;
}

/** Puts money into a wallet; an amount of the currency's major unit. */
export async function creditWallet(
  api: Api,
  token: string,
  walletId: string,
  amount: string,
  currencyCode = 'USD',
): Promise<void> {
  await api.data({
    token,
    query: `mutation ($input: CreditWalletInput!) { creditWallet(input: $input) { userErrors { message } } }`,
    variables: { input: { walletId, amount, currencyCode } },
  });
}

/** What is in a wallet, in minor units. */
export async function balanceOf(api: Api, token: string, walletId: string): Promise<bigint> {
  const { wallet } = await api.data({
    token,
    query: 'query ($id: ID!) { wallet(id: $id) { balance { minorUnits } } }',
    variables: { id: walletId },
  });
  return BigInt(wallet.balance.minorUnits);
}
