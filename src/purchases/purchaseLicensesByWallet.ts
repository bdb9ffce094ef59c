import { entitlementsOfPackage } from '../entitlements/entitlementsOf.js';
import type { PurchaseLicensesByWalletInput } from '../generated/graphql.js';
import { newId } from '../kernel/id.js';
import type { RequestContext } from '../kernel/requestContext.js';
import { inSqlTransaction, type SqlTx } from '../kernel/transaction.js';
import { licenseKeyTaken } from '../licenseKeys/licenseKey.js';
import { issueLicenses } from '../licenses/issueLicenses.js';
import { addCompletedOrder } from '../orders/addCompletedOrder.js';
import { debitWallet } from '../wallets/debitWallet.js';
import { agreedPurchase, type AgreedPurchase } from './agreedPurchase.js';
import { countDiscounts, rememberDiscounts } from './discountedPurchase.js';
import { wantedPurchase, type WantedPurchase } from './wantedPurchase.js';

/** Ids of what a purchase made. */
export interface PurchaseRefs {
  orderId: string;
  licenseIds: string[];
  walletId: string;
  /** One, or none when nothing was to pay. */
  ledgerEntryIds: string[];
}

/**
 * Buys licenses of a package from a wallet (as JFramework does): order, licenses, keys and grants, then the debit, or nothing at all.
 * Limited discounts are counted after all inserts and the wallet's row is locked last, so that purchases wait for each other as
 * short as can be.
 * @throws Refusal whatever `wantedPurchase` and `agreedPurchase` refuse, LicenseKeyTaken, DiscountNotApplicable, InsufficientFunds
 */
export async function purchaseLicensesByWallet(
  ctx: RequestContext,
  input: PurchaseLicensesByWalletInput,
): Promise<PurchaseRefs> {
  return inSqlTransaction(
    ctx,
    async (tx) => {
      // In here, behind the idempotency key: a retry gets its result even when the window has passed meanwhile.
      const wanted = wantedPurchase(ctx, input);
      const agreed = await agreedPurchase(tx, wanted);
      const ledgerTransactionId = agreed.total === 0n ? null : newId();
      const order = await orderOf(tx, wanted, agreed, ledgerTransactionId);
      const licenses = await licensesOf(tx, wanted, agreed, order.id);
      rememberDiscounts(tx, agreed, order.id);
      await tx.flush();
      await countDiscounts(tx, agreed);
      const entryId = await payment(tx, agreed, order.id, ledgerTransactionId);
      return {
        orderId: order.id,
        licenseIds: licenses.map(({ id }) => id),
        walletId: agreed.wallet.id,
        ledgerEntryIds: entryId === null ? [] : [entryId],
      };
    },
    licenseKeyTaken(['input', 'code']),
  );
}

function orderOf(
  tx: SqlTx,
  wanted: WantedPurchase,
  { wallet, price, total, ...agreed }: AgreedPurchase,
  ledgerTransactionId: string | null,
): Promise<{ id: string }> {
  const line = {
    packageId: agreed.package.id,
    subscriptionTypeId: agreed.subscriptionType.id,
    productOfferingId: null,
    quantity: wanted.quantity,
    unitAmountMinor: wanted.unitAmount,
    discountMinor: price.undiscountedMinor - total,
    totalMinor: total,
    description: wanted.description,
  };
  const { id: walletId, customerId, brandId, currency } = wallet;
  return addCompletedOrder(tx, { brandId, customerId, walletId, currency, ledgerTransactionId, lines: [line] });
}

async function licensesOf(
  tx: SqlTx,
  wanted: WantedPurchase,
  { package: bought, subscriptionType, customer, price }: AgreedPurchase,
  orderId: string,
): Promise<{ id: string }[]> {
  const packageId = bought.id;
  const entitlements = await entitlementsOfPackage(tx, packageId);
  const license = {
    customerId: customer.id,
    type: bought.sku,
    productOfferingId: null,
    packageId,
    subscriptionTypeId: subscriptionType.id,
    orderId,
    validFrom: wanted.startDate,
    validUntil: wanted.endDate,
    assignedTo: null,
    details: null,
    amountMinor: wanted.unitAmount,
    currency: wanted.currency,
    description: wanted.description,
    tags: [...wanted.tags],
    metadata: {},
  };
  return issueLicenses(
    tx,
    (price.unitDiscounts[0] ?? []).map((discountMinor) => ({ ...license, discountMinor })),
    {
      customer,
      entitlements,
      suppliedKey: wanted.code,
      generateKeys: true,
    },
  );
}

/** The debit: the purchase's last statement. @returns the ledger entry's id; null when nothing is to pay */
async function payment(
  tx: SqlTx,
  { wallet, total }: AgreedPurchase,
  orderId: string,
  transactionId: string | null,
): Promise<string | null> {
  if (transactionId === null) return null;
  const why = { kind: 'PURCHASE', reason: null, reference: null, orderId } as const;
  const movement = { walletId: wallet.id, currency: wallet.currency, amount: total, transactionId, ...why };
  return (await debitWallet(tx, movement, ['input', 'walletId'])).ledgerEntryId;
}
