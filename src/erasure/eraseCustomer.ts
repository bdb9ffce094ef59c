import { blankActivationsOf } from '../activations/blankActivations.js';
import { revokeSessionsOf } from '../accounts/revokeSessionsOf.js';
import { blankCustomer } from '../customers/blankCustomer.js';
import { customerMissing, lockCustomer } from '../customers/lockCustomer.js';
import { blankDiscountsOf } from '../discounts/blankDiscounts.js';
import { eraseChangesOf } from '../events/eraseChanges.js';
import type { EraseCustomerInput } from '../generated/graphql.js';
import { blankGrantsOf, lockGrantsOf } from '../grants/blankGrants.js';
import { refuseOtherBrands } from '../kernel/brand.js';
import { uuidOf } from '../kernel/id.js';
import { forgetInputsOf } from '../kernel/idempotency.js';
import { tenantOf, type RequestContext } from '../kernel/requestContext.js';
import { inTransaction } from '../kernel/transaction.js';
import { refuseIfStale } from '../kernel/version.js';
import { blankLicenseKeysOf, lockLicenseKeysOf } from '../licenseKeys/blankLicenseKeys.js';
import { blankLicensesOf, lockLicensesOf } from '../licenses/blankLicenses.js';
import { forgetErasedMails } from '../mail/forgetErasedMails.js';
import { blankProductKeysOf, lockProductKeysOf } from '../productKeys/blankProductKeys.js';
import { withdrawMailsOf } from '../mail/withdrawMailsOf.js';
import { blankOrderLinesOf } from '../orders/blankOrderLines.js';
import { blankSlaBreachesOf } from '../sla/blankSlaBreaches.js';

/**
 * Erases the person behind a customer, for good, everywhere but in the books: number, licenses, keys, grants, orders, wallets and
 * the ledger stay and work on. Erasing again changes nothing. A transaction that read the customer before and writes after is
 * sent back by the database (`refuse_erased_customer`), so that nothing of the person returns.
 * @throws Refusal CustomerNotFound, ModeMismatch, BrandMismatch, StaleObject
 */
export async function eraseCustomer(ctx: RequestContext, input: EraseCustomerInput): Promise<{ customerId: string }> {
  const id = uuidOf('Customer', input.customerId);
  const refs = await inTransaction(ctx, async (tx) => {
    // In the order in which everybody else locks them; what comes between, the customer's own lock holds up.
    await lockLicensesOf(tx, id);
    await lockGrantsOf(tx, id);
    await lockLicenseKeysOf(tx, id);
    await lockProductKeysOf(tx, id);
    const customer = await lockCustomer(tx, { ...tenantOf(ctx), id });
    if (!customer) throw await customerMissing(tx, id);
    refuseOtherBrands(ctx, { brandId: customer.brandId, path: ['input', 'customerId'] });
    if (customer.erasedAt) return { customerId: id };
    refuseIfStale(customer, input.expectedVersion);
    await revokeSessionsOf(tx, id);
    await withdrawMailsOf(tx, id);
    await blankLicensesOf(tx, id);
    await blankGrantsOf(tx, id);
    await blankLicenseKeysOf(tx, id);
    await blankActivationsOf(tx, id);
    await blankOrderLinesOf(tx, id);
    await blankProductKeysOf(tx, id, customer.email);
    await blankSlaBreachesOf(tx, id);
    const discountIds = await blankDiscountsOf(tx, id);
    await eraseChangesOf(tx, id, discountIds);
    await forgetInputsOf(tx, id);
    await blankCustomer(tx, customer);
    return { customerId: id };
  });
  // The schedule does it again, so a disk that fails here fails nothing.
  await forgetErasedMails(ctx).catch(() => 0);
  return refs;
}
