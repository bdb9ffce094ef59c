import type { PurchaseLicensesByWalletInput } from '../generated/graphql.js';
import { violatedConstraint } from '../kernel/databaseError.js';
import type { LookedUpNumbers } from '../kernel/drawNumber.js';
import { newId } from '../kernel/id.js';
import { allOf } from '../kernel/pipeline.js';
import type { RequestContext } from '../kernel/requestContext.js';
import { inSqlTransaction, type SqlTx } from '../kernel/transaction.js';
import { licenseKeyTaken } from '../licenseKeys/licenseKey.js';
import { issueLicenses } from '../licenses/issueLicenses.js';
import { addCompletedOrder } from '../orders/addCompletedOrder.js';
import { debitWallet } from '../wallets/debitWallet.js';
import { moveMoneyAtEnd, type Movement } from '../wallets/moveMoney.js';
import { agreedPurchase, type AgreedPurchase } from './agreedPurchase.js';
import { countDiscounts, rememberDiscounts } from './discountedPurchase.js';
import { findLicenseParts, type LicenseParts } from './findLicenseParts.js';
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
 * Limited discounts are counted after all inserts, and the debit goes out with the commit, so that purchases wait for each other
 * as short as can be. The order's foreign key to its ledger transaction refuses to commit what was not debited: the wallet held
 * enough when it was read, and somebody was faster. Then all is done again, slowly, to say so or to find that it holds enough now.
 * @throws Refusal whatever `wantedPurchase` and `agreedPurchase` refuse, LicenseKeyTaken, DiscountNotApplicable, InsufficientFunds
 */
export async function purchaseLicensesByWallet(
  ctx: RequestContext,
  input: PurchaseLicensesByWalletInput,
): Promise<PurchaseRefs> {
  return buy(ctx, input, debitAtEnd).catch((error: unknown) => {
    if (violatedConstraint(error) !== 'orders_business_id_mode_ledger_transaction_id_fkey') throw error;
    return buy(ctx, input, debitAtOnce);
  });
}

function buy(ctx: RequestContext, input: PurchaseLicensesByWalletInput, debit: Debit): Promise<PurchaseRefs> {
  return inSqlTransaction(
    ctx,
    async (tx) => {
      // In here, behind the idempotency key: a retry gets its result even when the window has passed meanwhile.
      const wanted = wantedPurchase(ctx, input);
      // The first of them locks the package, so that the second reads what stays attached to it.
      const [agreed, parts] = await allOf([
        agreedPurchase(tx, wanted),
        findLicenseParts(tx, wanted.packageId, wanted.quantity),
      ]);
      const ids = { orderId: newId(), ledgerTransactionId: agreed.total === 0n ? null : newId() };
      const [, licenses] = await allOf([
        addOrder(tx, wanted, agreed, { ...ids, lookedUp: parts.orderNumber }),
        addLicenses(tx, wanted, agreed, { ...parts, orderId: ids.orderId }),
      ]);
      rememberDiscounts(tx, agreed, ids.orderId);
      const entryId = await payment(tx, agreed, ids, debit);
      return {
        orderId: ids.orderId,
        licenseIds: licenses.map(({ id }) => id),
        walletId: agreed.wallet.id,
        ledgerEntryIds: entryId === null ? [] : [entryId],
      };
    },
    licenseKeyTaken(['input', 'code']),
  );
}

/** Ids of what is written later; without a ledger transaction nothing is to pay. */
interface PurchaseIds {
  readonly orderId: string;
  readonly ledgerTransactionId: string | null;
}

function addOrder(
  tx: SqlTx,
  wanted: WantedPurchase,
  { wallet, price, total, ...agreed }: AgreedPurchase,
  { orderId: id, ledgerTransactionId, lookedUp }: PurchaseIds & { lookedUp: LookedUpNumbers },
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
  const payer = { brandId, customerId, walletId, currency };
  return addCompletedOrder(tx, { id, lookedUp, ...payer, ledgerTransactionId, lines: [line] });
}

function addLicenses(
  tx: SqlTx,
  wanted: WantedPurchase,
  { package: bought, subscriptionType, customer, price }: AgreedPurchase,
  { orderId, entitlements, maker, licenseNumbers }: LicenseParts & { orderId: string },
): Promise<{ id: string }[]> {
  const license = {
    customerId: customer.id,
    type: bought.sku,
    productOfferingId: null,
    packageId: bought.id,
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
      maker,
      lookedUp: licenseNumbers,
    },
  );
}

/**
 * The counts of limited discounts, with all rows before them, then the debit: no wallet is held while a discount is waited for.
 * @returns the ledger entry's id; null when nothing is to pay
 */
async function payment(
  tx: SqlTx,
  agreed: AgreedPurchase,
  { orderId, ledgerTransactionId: transactionId }: PurchaseIds,
  debit: Debit,
): Promise<string | null> {
  const { wallet, total } = agreed;
  if (agreed.price.takenOff.length > 0) await allOf([tx.flush(), countDiscounts(tx, agreed)]);
  if (transactionId === null) return null;
  const why = { kind: 'PURCHASE', reason: null, reference: null, orderId } as const;
  const movement = { walletId: wallet.id, currency: wallet.currency, amount: total, transactionId, ...why };
  return debit(tx, movement);
}

/** How the wallet is debited. @returns the ledger entry's id */
type Debit = (tx: SqlTx, movement: Movement) => Promise<string> | string;

const debitAtEnd: Debit = (tx, movement) => moveMoneyAtEnd(tx, 'OUT', movement);

const debitAtOnce: Debit = async (tx, movement) => {
  const [, { ledgerEntryId }] = await allOf([tx.flush(), debitWallet(tx, movement, ['input', 'walletId'])]);
  return ledgerEntryId;
};
