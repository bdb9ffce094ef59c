import { lockCustomer } from '../customers/lockCustomer.js';
import type { ProductKey, Wallet } from '../generated/prisma/client.js';
import { refuseOtherBrands } from '../kernel/brand.js';
import { newId, uuidOf } from '../kernel/id.js';
import { refusal } from '../kernel/refusal.js';
import type { Tx } from '../kernel/transaction.js';
import { currencyMismatch } from '../wallets/currencyMismatch.js';
import { findWallet } from '../wallets/findWallet.js';
import { openDefaultWallet } from '../wallets/openDefaultWallet.js';
import { payIntoWallet } from '../wallets/payIntoWallet.js';

const path = ['input', 'walletId'];

/** Why something is given back, as the books say it, and what asks for it in the input. */
export interface CreditReason {
  readonly kind: 'PRORATION' | 'SLA_CREDIT';
  readonly reason: string;
  readonly at: readonly string[];
}

/** Why a cancellation gives something back. */
export function cancelledEarly({ number }: ProductKey): CreditReason {
  return { kind: 'PRORATION', reason: `Product key ${number} was cancelled within what was paid for.`, at: path };
}

/**
 * A step: the wallet that an input names; it must be the owner's.
 * @throws Refusal WalletNotFound, ModeMismatch, BrandMismatch, InvalidInput
 */
export async function findOwnersWallet(tx: Tx, key: ProductKey, walletId: string): Promise<Wallet> {
  const wallet = await findWallet(tx, uuidOf('Wallet', walletId));
  refuseOtherBrands(tx.ctx, { brandId: wallet.brandId, path });
  if (wallet.customerId === key.customerId) return wallet;
  throw refusal('InvalidInput', path, "It is another customer's. Give a wallet of the product key's owner, or none.");
}

/**
 * A step: puts what a cancellation or the breach of an SLA gives back into the owner's wallets, from outside, where it was paid.
 * Into the named wallet; else, for each currency, into the owner's default wallet, which is made where there is none. Call it last.
 * @returns the ledger entries' ids, in the order of the credits
 * @throws Refusal CurrencyMismatch, BalanceLimitExceeded
 */
export async function creditOwner(
  tx: Tx,
  key: ProductKey,
  credits: ReadonlyMap<string, bigint>,
  named: Wallet | null,
  { kind, reason, at }: CreditReason,
): Promise<string[]> {
  const other = named && [...credits.keys()].find((currency) => currency !== named.currency);
  if (named && other !== null && other !== undefined) throw currencyMismatch(named.currency, path);
  const wallets: [string, string, bigint][] = [];
  for (const [currency, amount] of credits) {
    wallets.push([named?.id ?? (await defaultWalletOf(tx, key, currency)), currency, amount]);
  }
  await tx.flush();
  const ledgerEntryIds: string[] = [];
  const why = { kind, reason, reference: null, orderId: null };
  for (const [walletId, currency, amount] of wallets) {
    const moved = await payIntoWallet(tx, 'IN', { walletId, currency, amount, transactionId: newId(), ...why }, at);
    ledgerEntryIds.push(moved.ledgerEntryId);
  }
  return ledgerEntryIds;
}

/** The customer's row is locked, so that of several at once one makes the wallet. */
async function defaultWalletOf(tx: Tx, key: ProductKey, currency: string): Promise<string> {
  const { businessId, mode, customerId } = key;
  const customer = await lockCustomer(tx, { businessId, mode, id: customerId });
  if (!customer) throw new Error("a product key's owner is gone");
  return openDefaultWallet(tx, customer, currency);
}
