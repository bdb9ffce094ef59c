import { customerMissing } from '../customers/lockCustomer.js';
import type { IssueGrantInput } from '../generated/graphql.js';
import type { Customer, Entitlement, License } from '../generated/prisma/client.js';
import { refuseOtherBrands } from '../kernel/brand.js';
import { refuseErased } from '../kernel/erased.js';
import { uuidOf } from '../kernel/id.js';
import { missing } from '../kernel/missing.js';
import { refusal, refuseIfAny, userError, type UserErrorData } from '../kernel/refusal.js';
import { tenantOf, type RequestContext } from '../kernel/requestContext.js';
import { columnsOf } from '../kernel/rows.js';
import { checkLength, checkMetadata, mergedMetadata, presentText } from '../kernel/text.js';
import { inTransaction, type ConflictRefusals, type Tx } from '../kernel/transaction.js';
import { statusOf } from '../lifecycle/dueChanges.js';
import { causesOf } from '../lifecycle/grantEffects.js';
import { drawPoolKeys, neededFromPools } from '../licenseKeys/drawPoolKeys.js';
import { keyMakerFor } from '../licenseKeys/keyMaker.js';
import { grantEntitlements } from './grantEntitlements.js';

const grantExists: ConflictRefusals = {
  grants_one_per_license: () =>
    userError('GrantExists', ['input', 'entitlementId'], 'The license has a grant of this entitlement already.'),
};

/**
 * Gives an entitlement to a customer by hand: delivered at once when its key is generated, else pending; while its license gives
 * nothing, taken back until that ends. Refuses in this order:
 * what is wrong with the fields (all at once), the entitlement, the customer, the license.
 * @throws Refusal InvalidInput, EntitlementNotFound, EntitlementArchived, CustomerNotFound, ModeMismatch, BrandMismatch,
 *   CustomerErased, LicenseNotFound, GrantExists
 */
export async function issueGrant(ctx: RequestContext, input: IssueGrantInput): Promise<{ grantId: string }> {
  refuseIfAny(problemsOf(input));
  return inTransaction(
    ctx,
    async (tx) => {
      const entitlement = await entitlementFor(tx, input);
      const customer = await customerFor(tx, input);
      const license = input.licenseId == null ? null : await licenseFor(tx, input.licenseId, customer);
      const poolKeys = await drawPoolKeys(tx, neededFromPools([entitlement], 1, false), ['input', 'entitlementId']);
      const [grant] = grantEntitlements(tx, [entitlement], {
        customer,
        licenseId: license?.id ?? null,
        orderId: null,
        paymentId: presentText(input.paymentId),
        subscriptionId: presentText(input.subscriptionId),
        metadata: mergedMetadata({}, input.metadata),
        suppliedKey: null,
        heldBy: license ? causesOf(license, ctx.now) : [],
        makeKey: (await keyMakerFor(tx, license ?? {})).make,
        poolKeys,
      });
      return { grantId: (grant as { id: string }).id };
    },
    grantExists,
  );
}

function problemsOf({ licenseId, paymentId, subscriptionId, metadata }: IssueGrantInput): UserErrorData[] {
  const problems: UserErrorData[] = [];
  checkLength(problems, ['input', 'paymentId'], presentText(paymentId), 1, 255);
  checkLength(problems, ['input', 'subscriptionId'], presentText(subscriptionId), 1, 255);
  if (licenseId != null && presentText(subscriptionId) !== null) {
    const message = 'The license is the subscription. Give `licenseId` or `subscriptionId`.';
    problems.push(userError('InvalidInput', ['input', 'subscriptionId'], message));
  }
  checkMetadata(problems, ['input', 'metadata'], metadata);
  return problems;
}

async function entitlementFor(tx: Tx, { entitlementId }: IssueGrantInput): Promise<Entitlement> {
  const { businessId } = tenantOf(tx.ctx);
  const path = ['input', 'entitlementId'];
  const id = uuidOf('Entitlement', entitlementId);
  const entitlement = await tx.prisma.entitlement.findUnique({ where: { businessId_id: { businessId, id } } });
  if (!entitlement) throw refusal('EntitlementNotFound', path, 'There is no entitlement with this id.');
  if (entitlement.archivedAt === null) return entitlement;
  throw refusal('EntitlementArchived', path, 'The entitlement is archived: it is given no more. Choose another one.');
}

async function customerFor(tx: Tx, { customerId }: IssueGrantInput): Promise<Customer> {
  const id = uuidOf('Customer', customerId);
  const customer = await tx.prisma.customer.findUnique({
    where: { businessId_mode_id: { ...tenantOf(tx.ctx), id } },
  });
  if (!customer) throw await customerMissing(tx, id);
  refuseOtherBrands(tx.ctx, { brandId: customer.brandId, path: ['input', 'customerId'] });
  refuseErased(customer, ['input', 'customerId']);
  return customer;
}

/** The license's row is held until the transaction ends, so that a cancellation at the same time finds the new grant. */
async function licenseFor(tx: Tx, licenseId: string, customer: Customer): Promise<License> {
  const { businessId, mode } = tenantOf(tx.ctx);
  const path = ['input', 'licenseId'];
  const id = uuidOf('License', licenseId);
  const [license] = await tx.sql<License>(
    'hold_license',
    `SELECT ${columnsOf('License')} FROM licenses WHERE business_id = $1 AND mode = $2 AND id = $3 FOR SHARE`,
    [businessId, mode, id],
  );
  if (!license) throw await missing(tx, 'License', id, path, 'LicenseNotFound', 'There is no license with this id.');
  if (license.customerId !== customer.id) {
    throw refusal('InvalidInput', path, "The license is another customer's. Give one of the same customer, or none.");
  }
  if (statusOf(license, tx.ctx.now) !== 'CANCELLED') return license;
  throw refusal(
    'InvalidInput',
    path,
    'The license is cancelled and grants nothing any more. Give another one, or none.',
  );
}
