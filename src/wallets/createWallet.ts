import { currencyOrDefault } from '../accounts/defaults.js';
import { customerMissing, lockCustomer } from '../customers/lockCustomer.js';
import { recordChange } from '../events/recordChange.js';
import type { CreateWalletInput } from '../generated/graphql.js';
import type { Customer } from '../generated/prisma/client.js';
import { checkCurrency } from '../kernel/amount.js';
import { refuseOtherBrands } from '../kernel/brand.js';
import { refuseErased } from '../kernel/erased.js';
import { newId, uuidOf } from '../kernel/id.js';
import { refuseIfAny, type UserErrorData } from '../kernel/refusal.js';
import { tenantOf, type RequestContext } from '../kernel/requestContext.js';
import { inTransaction, type Tx } from '../kernel/transaction.js';
import { firstLedgerHash } from './moveMoney.js';

/**
 * Creates an empty wallet in the customer's brand. The first in its currency becomes the default unless the caller says
 * otherwise; a further default takes that from the one before. The customer's row is locked, so that of several at once one
 * stays the default.
 * @throws Refusal InvalidCurrency, InvalidInput for no currency where the business has no default one, CustomerNotFound, ModeMismatch,
 *   BrandMismatch, CustomerErased
 */
export async function createWallet(ctx: RequestContext, input: CreateWalletInput): Promise<{ walletId: string }> {
  const problems: UserErrorData[] = [];
  if (input.currencyCode != null) checkCurrency(problems, input.currencyCode);
  refuseIfAny(problems);
  return inTransaction(ctx, async (tx) => {
    const customerId = uuidOf('Customer', input.customerId);
    const customer = await lockCustomer(tx, { ...tenantOf(ctx), id: customerId });
    if (!customer) throw await customerMissing(tx, customerId);
    refuseOtherBrands(ctx, { brandId: customer.brandId, path: ['input', 'customerId'] });
    refuseErased(customer, ['input', 'customerId']);
    const currency = await currencyOrDefault(tx, input.currencyCode);
    const isDefault = await settleDefault(tx, customer, currency, input.isDefault);
    await ensureBusinessAccounts(tx, currency);
    return { walletId: addWallet(tx, customer, currency, isDefault) };
  });
}

/** Whether the new wallet is the default; takes that from the one that is. */
async function settleDefault(
  tx: Tx,
  customer: Customer,
  currency: string,
  wanted: boolean | null | undefined,
): Promise<boolean> {
  const { businessId, mode, id: customerId, brandId } = customer;
  const where = { businessId, mode, customerId, brandId, currency, isDefault: true };
  const former = await tx.prisma.wallet.findFirst({ where });
  const isDefault = wanted ?? former === null;
  if (!former || !isDefault) return isDefault;
  const wallet = await tx.prisma.wallet.update({
    where: { businessId_mode_id: { businessId, mode, id: former.id } },
    data: { isDefault: false, version: { increment: 1 }, updatedAt: tx.ctx.now },
  });
  recordChange(tx, {
    type: 'wallet.updated',
    objectType: 'Wallet',
    objectId: wallet.id,
    sequence: wallet.version,
    before: { isDefault: true },
    after: { isDefault: false },
    snapshot: wallet,
  });
  return isDefault;
}

/** A step: the business's own accounts, where wallets' money comes from and goes to; made once for each mode and currency. */
export async function ensureBusinessAccounts(tx: Tx, currency: string): Promise<void> {
  const { businessId, mode } = tenantOf(tx.ctx);
  await tx.sql(
    'ensure_business_accounts',
    `INSERT INTO ledger_accounts (business_id, mode, id, kind, currency, created_at)
     VALUES ($1, $2, $3, 'FUNDING', $5, $6), ($1, $2, $4, 'SALES', $5, $6) ON CONFLICT DO NOTHING`,
    [businessId, mode, newId(), newId(), currency, tx.ctx.now],
  );
}

/** A step: an empty wallet of a customer, buffered. @returns its id */
export function addWallet(tx: Tx, customer: Customer, currency: string, isDefault: boolean): string {
  const { now } = tx.ctx;
  const tenant = tenantOf(tx.ctx);
  const id = newId();
  const wallet = {
    ...tenant,
    id,
    customerId: customer.id,
    brandId: customer.brandId,
    currency,
    isDefault,
    balanceMinor: 0n,
    ledgerHash: firstLedgerHash(id),
    version: 1,
    createdAt: now,
    updatedAt: now,
  };
  tx.insert('wallets', wallet);
  tx.insert('ledger_accounts', { ...tenant, id, kind: 'WALLET', currency, walletId: id, createdAt: now });
  recordChange(tx, { type: 'wallet.created', objectType: 'Wallet', objectId: id, sequence: 1, snapshot: wallet });
  return id;
}
