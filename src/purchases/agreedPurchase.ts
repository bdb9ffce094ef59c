import type { PricedSale } from '../discounts/applyDiscounts.js';
import { archivedPackage, archivedSubscriptionType } from '../catalog/archived.js';
import { refuseOtherBrands } from '../kernel/brand.js';
import { refuseErased } from '../kernel/erased.js';
import { missing } from '../kernel/missing.js';
import { moneyOf, moneyText } from '../kernel/money.js';
import { Refusal, refusal } from '../kernel/refusal.js';
import type { RequestContext } from '../kernel/requestContext.js';
import type { SqlTx } from '../kernel/transaction.js';
import { currencyMismatch } from '../wallets/currencyMismatch.js';
import { insufficientFunds } from '../wallets/debitWallet.js';
import { findPurchaseParts, type PurchaseCustomer, type PurchaseParts } from './findPurchaseParts.js';
import { discountedPrice } from './discountedPurchase.js';
import type { WantedPurchase } from './wantedPurchase.js';

const DAY_MS = 86_400_000;

/** What takes part in a purchase that nothing speaks against but, perhaps, a key that is taken or a debit that comes first. */
export interface AgreedPurchase {
  readonly wallet: NonNullable<PurchaseParts['wallet']>;
  readonly package: NonNullable<PurchaseParts['package']>;
  readonly subscriptionType: NonNullable<PurchaseParts['subscriptionType']>;
  readonly customer: PurchaseCustomer;
  /** With the discounts that lower it. */
  readonly price: PricedSale;
  /** What is to pay in all, in minor units. */
  readonly total: bigint;
}

/**
 * A step: the rules of a purchase that need to read.
 * @throws Refusal WalletNotFound, PackageNotFound, PackageArchived, SubscriptionTypeNotFound, SubscriptionTypeArchived,
 *   CustomerNotFound, ModeMismatch, BrandMismatch, CustomerErased, CurrencyMismatch, PriceNotFound, PriceMismatch,
 *   InvalidDateRange, DiscountNotApplicable, InsufficientFunds
 */
export async function agreedPurchase(tx: SqlTx, wanted: WantedPurchase): Promise<AgreedPurchase> {
  const { ctx } = tx;
  const parts = await findPurchaseParts(tx, wanted);
  const wallet = await walletOf(tx, wanted, parts);
  const { package: bought, subscriptionType } = parts;
  if (!bought) throw refusal('PackageNotFound', ['input', 'packageId'], 'There is no package with this id.');
  if (bought.isArchived) throw new Refusal([archivedPackage(['input', 'packageId'])]);
  const typePath = ['input', 'subscriptionTypeId'];
  if (!subscriptionType) throw refusal('SubscriptionTypeNotFound', typePath, 'There is no such subscription type.');
  if (subscriptionType.isArchived) throw new Refusal([archivedSubscriptionType(typePath)]);
  const customer = await customerOf(tx, wanted, parts);
  refuseOtherBrands(
    ctx,
    { brandId: wallet.brandId, path: ['input', 'walletId'] },
    { brandId: bought.brandId, path: ['input', 'packageId'] },
    { brandId: customer.brandId, path: ['input', wanted.customerCode === null ? 'customerId' : 'customerCode'] },
  );
  refuseErased(customer, ['input', wanted.customerCode === null ? 'customerId' : 'customerCode']);
  if (wallet.currency !== wanted.currency) throw currencyMismatch(wallet.currency);
  refuseOtherTerms(ctx, wanted, parts.price, subscriptionType.days);
  const price = await discountedPrice(tx, wanted, { wallet, package: bought });
  const { totalMinor: total } = price;
  // The debit decides; this only spares the inserts of a purchase that cannot be paid.
  if (wallet.balanceMinor < total) {
    throw insufficientFunds(total, wallet.balanceMinor, wallet.currency, ['input', 'walletId']);
  }
  return { wallet, package: bought, subscriptionType, customer, price, total };
}

/** An API key may use any wallet of its business; to a session, somebody else's is not there. */
async function walletOf(
  tx: SqlTx,
  wanted: WantedPurchase,
  { wallet }: PurchaseParts,
): Promise<AgreedPurchase['wallet']> {
  const { viewer } = tx.ctx;
  if (wallet && (viewer.principal !== 'CUSTOMER' || wallet.customerId === viewer.customerId)) return wallet;
  const path = ['input', 'walletId'];
  throw await missing(tx, 'Wallet', wanted.walletId, path, 'WalletNotFound', 'There is no wallet with this id.');
}

async function customerOf(tx: SqlTx, wanted: WantedPurchase, parts: PurchaseParts): Promise<PurchaseCustomer> {
  const { customerById, customerByCode } = parts;
  if (wanted.customerCode !== null && !customerByCode) {
    const message = 'No customer has this code or number.';
    throw refusal('CustomerNotFound', ['input', 'customerCode'], message);
  }
  if (wanted.customerId !== null && !customerById) {
    const path = ['input', 'customerId'];
    const message = 'There is no customer with this id.';
    throw await missing(tx, 'Customer', wanted.customerId, path, 'CustomerNotFound', message);
  }
  if (customerById && customerByCode && customerById.id !== customerByCode.id) {
    const message = '`customerCode` and `customerId` name two customers. Give one of them.';
    throw refusal('CustomerNotFound', ['input', 'customerCode'], message);
  }
  return (customerByCode ?? customerById) as PurchaseCustomer;
}

/** The catalog's price and duration bind everybody but an API key with `PRICES_OVERRIDE`. */
function refuseOtherTerms(ctx: RequestContext, wanted: WantedPurchase, price: bigint | null, days: number): void {
  const { currency, unitAmount, startDate, endDate } = wanted;
  if (price === null) {
    const message = `The package has no price for this subscription type in ${currency}. Read its prices.`;
    throw refusal('PriceNotFound', ['input', 'subscriptionTypeId'], message);
  }
  if (ctx.viewer.principal === 'API_KEY' && ctx.viewer.scopes.has('PRICES_OVERRIDE')) return;
  if (unitAmount !== price) {
    const message = `One license costs ${moneyText(price, currency)}. Give that amount.`;
    throw refusal('PriceMismatch', ['input', 'amount'], message, { expected: moneyOf(price, currency) });
  }
  const latestEndDate = new Date(startDate.getTime() + days * DAY_MS);
  if (endDate > latestEndDate) {
    const message = `The duration is ${days} days: give an end until ${latestEndDate.toISOString()}.`;
    throw refusal('InvalidDateRange', ['input', 'endDate'], message, { latestEndDate });
  }
}
