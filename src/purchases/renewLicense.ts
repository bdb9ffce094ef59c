import type { RenewLicenseInput } from '../generated/graphql.js';
import type { License, Wallet } from '../generated/prisma/client.js';
import { refuseOtherBrands } from '../kernel/brand.js';
import { newId, uuidOf } from '../kernel/id.js';
import { refusal } from '../kernel/refusal.js';
import type { RequestContext } from '../kernel/requestContext.js';
import { requireScope } from '../kernel/requireScope.js';
import { inSqlTransaction, type SqlTx } from '../kernel/transaction.js';
import { findCustomerOf } from '../licenses/changeOffering.js';
import { checkedReason } from '../licenses/checkedReason.js';
import { findRenewal } from '../licenses/findRenewal.js';
import { assigneeTakenAt } from '../licenses/license.js';
import { lockCurrentLicense } from '../licenses/lockCurrentLicense.js';
import { illegalState } from '../licenses/offeringChange.js';
import { refuseIfBillingIsManaged } from '../licenses/refuseIfBillingIsManaged.js';
import { alreadyRenewed } from '../licenses/renewal.js';
import { addCompletedOrder } from '../orders/addCompletedOrder.js';
import { debitWallet } from '../wallets/debitWallet.js';
import { findWallet } from '../wallets/findWallet.js';
import { addRenewal } from './addRenewal.js';
import { renewalTerms, type EndingLicense, type RenewalTerms } from './renewalTerms.js';

/** Ids of what a renewal made. */
export interface RenewalRefs {
  /** The renewal. */
  licenseId: string;
  /** Null: nobody paid. */
  orderId: string | null;
  walletId: string | null;
  /** Null: nothing was to pay. */
  ledgerEntryId: string | null;
}

/**
 * Makes a license that goes on where another one ends, on its keys. With a wallet it is bought: an order that the wallet pays; the
 * wallet's row is locked last, as by a purchase.
 * @throws ClientError FORBIDDEN where a wallet is named and the API key lacks PURCHASES_WRITE
 * @throws Refusal InvalidInput, LicenseNotFound, ModeMismatch, BrandMismatch, StaleObject, IllegalLicenseState, LicensePermanent,
 *   LicenseAlreadyRenewed, DirectLicenseCreationDisabled, WalletNotFound, whatever `renewalTerms` refuses, AssigneeTaken,
 *   InsufficientFunds
 */
export async function renewLicense(ctx: RequestContext, input: RenewLicenseInput): Promise<RenewalRefs> {
  if (input.walletId != null) requireScope(ctx, 'PURCHASES_WRITE');
  return inSqlTransaction(
    ctx,
    async (tx) => {
      const reason = checkedReason(tx, input);
      const license = await renewable(tx, await lockCurrentLicense(tx, input));
      const wallet = await payingWallet(tx, license, input.walletId);
      if (!wallet) await refuseIfBillingIsManaged(tx);
      const terms = await renewalTerms(tx, license, input, wallet);
      const paid = wallet && terms.price ? newId() : null;
      const order = wallet && (await orderOf(tx, license, terms, wallet, paid));
      const renewal = await addRenewal(tx, license, terms, { orderId: order?.id ?? null, wallet, reason });
      await tx.flush();
      const ledgerEntryId = wallet && order && paid ? await payment(tx, wallet, terms, order.id, paid) : null;
      return { licenseId: renewal.id, orderId: order?.id ?? null, walletId: wallet?.id ?? null, ledgerEntryId };
    },
    assigneeTakenAt(['input', 'licenseId']),
  );
}

async function renewable(tx: SqlTx, license: License): Promise<EndingLicense> {
  const { now } = tx.ctx;
  const { validUntil } = license;
  if (license.status === 'CANCELLED') throw illegalState(license, now, 'The license is cancelled. That is final.');
  if (license.pendingStatus === 'CANCELLED') {
    throw illegalState(
      license,
      now,
      'The license is about to be cancelled. Drop that with `cancelPendingLicenseChange`.',
    );
  }
  if (validUntil === null) {
    throw refusal('LicensePermanent', ['input', 'licenseId'], 'The license has no end: there is nothing to renew.');
  }
  const renewal = await findRenewal(tx, license);
  if (renewal) throw alreadyRenewed(renewal.id, 'Renew that one.');
  return { ...license, validUntil };
}

async function payingWallet(tx: SqlTx, license: License, walletId: string | null | undefined): Promise<Wallet | null> {
  if (walletId == null) return null;
  const wallet = await findWallet(tx, uuidOf('Wallet', walletId));
  const { brandId } = await findCustomerOf(tx, license);
  refuseOtherBrands(
    tx.ctx,
    { brandId, path: ['input', 'licenseId'] },
    { brandId: wallet.brandId, path: ['input', 'walletId'] },
  );
  return wallet;
}

function orderOf(
  tx: SqlTx,
  { number }: License,
  { packageId, subscriptionTypeId, productOfferingId, price }: RenewalTerms,
  { id: walletId, customerId, brandId, currency }: Wallet,
  ledgerTransactionId: string | null,
): Promise<{ id: string }> {
  const amount = price ?? 0n;
  const line = { packageId, subscriptionTypeId, productOfferingId, quantity: 1 };
  const lines = [{ ...line, unitAmountMinor: amount, totalMinor: amount, description: `Renewal of license ${number}` }];
  return addCompletedOrder(tx, { brandId, customerId, walletId, currency, ledgerTransactionId, lines });
}

/** The debit: the renewal's last statement. @returns the ledger entry's id */
async function payment(
  tx: SqlTx,
  { id: walletId, currency }: Wallet,
  { price }: RenewalTerms,
  orderId: string,
  transactionId: string,
): Promise<string> {
  const why = { kind: 'PURCHASE', reason: null, reference: null, orderId, transactionId } as const;
  const movement = { walletId, currency, amount: price as bigint, ...why };
  return (await debitWallet(tx, movement, ['input', 'walletId'])).ledgerEntryId;
}
