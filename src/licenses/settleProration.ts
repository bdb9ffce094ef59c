import type { License, Wallet } from '../generated/prisma/client.js';
import { refuseOtherBrands } from '../kernel/brand.js';
import { newId, uuidOf } from '../kernel/id.js';
import { refusal } from '../kernel/refusal.js';
import type { SqlTx } from '../kernel/transaction.js';
import { currencyMismatch } from '../wallets/currencyMismatch.js';
import { debitWallet } from '../wallets/debitWallet.js';
import { findWallet } from '../wallets/findWallet.js';
import { payIntoWallet } from '../wallets/payIntoWallet.js';
import { findCustomerOf } from './changeOffering.js';
import type { OfferingChangePlan } from './offeringChange.js';

const path = ['input', 'walletId'];

/**
 * A step: the wallet that a change shall be settled with. Money moves with a change that is made now; one that is scheduled where
 * something would have to be settled is refused, because nobody can say what the wallet will hold then.
 * @throws Refusal WalletNotFound, ModeMismatch, BrandMismatch, CurrencyMismatch, InvalidInput
 */
export async function findProrationWallet(
  tx: SqlTx,
  license: License,
  { changeDate, proration, to }: OfferingChangePlan,
  walletId: string,
): Promise<Wallet> {
  const wallet = await findWallet(tx, uuidOf('Wallet', walletId));
  const { brandId } = await findCustomerOf(tx, license);
  refuseOtherBrands(tx.ctx, { brandId, path: ['input', 'licenseId'] }, { brandId: wallet.brandId, path });
  if (wallet.currency !== to.currency) throw currencyMismatch(wallet.currency, path);
  if (changeDate > tx.ctx.now && proration.charge !== proration.credit) {
    const message =
      'The change comes later, within a billing period: a wallet settles only a change that is made at once. Leave `walletId` out.';
    throw refusal('InvalidInput', path, message);
  }
  return wallet;
}

/**
 * A step: moves what a change settles, PRORATION: out of the wallet where the new price charges more than the old one gives back,
 * into it where it is less. Call it last.
 * @returns the ledger entry's id; null when there is nothing to settle
 * @throws Refusal InsufficientFunds, BalanceLimitExceeded
 */
export async function settleProration(
  tx: SqlTx,
  license: License,
  { from, to, proration: { credit, charge } }: OfferingChangePlan,
  { id: walletId, currency }: Wallet,
): Promise<string | null> {
  if (charge === credit) return null;
  const reason = `License ${license.number} changed from ${from.name} to ${to.name}.`;
  const why = { kind: 'PRORATION', reason, reference: null, orderId: null, transactionId: newId() } as const;
  const movement = { walletId, currency, ...why };
  const moved =
    charge > credit
      ? await debitWallet(tx, { ...movement, amount: charge - credit }, path)
      : await payIntoWallet(tx, 'BACK', { ...movement, amount: credit - charge }, path);
  return moved.ledgerEntryId;
}
