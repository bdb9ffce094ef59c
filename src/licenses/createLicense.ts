import { customerMissing } from '../customers/lockCustomer.js';
import { entitlementsOfOffering } from '../entitlements/entitlementsOf.js';
import type { CreateLicenseInput } from '../generated/graphql.js';
import type { Customer, ProductOffering } from '../generated/prisma/client.js';
import { refuseOtherBrands } from '../kernel/brand.js';
import { uuidOf } from '../kernel/id.js';
import { lockShared } from '../kernel/lockShared.js';
import { refusal, refuseIfAny } from '../kernel/refusal.js';
import { tenantOf, type RequestContext } from '../kernel/requestContext.js';
import { mergedMetadata, presentText } from '../kernel/text.js';
import { inTransaction, type Tx } from '../kernel/transaction.js';
import { createLicenseProblems } from './createLicenseProblems.js';
import { issueLicenses, type NewLicense } from './issueLicenses.js';
import { assigneeTaken } from './license.js';

/**
 * Creates a license that nobody pays for here, with what its offering grants. Refuses in this order: what is wrong with the
 * fields (all at once), managed billing, the offering, the customer, the assignee.
 * @throws Refusal InvalidInput, ModeMismatch, DirectLicenseCreationDisabled, ProductOfferingNotFound,
 *   ProductOfferingUnavailable, LicenseTypeMismatch, CustomerNotFound, BrandMismatch, AssigneeTaken
 */
export async function createLicense(ctx: RequestContext, input: CreateLicenseInput): Promise<{ licenseId: string }> {
  refuseIfAny(createLicenseProblems(ctx, input));
  return inTransaction(
    ctx,
    async (tx) => {
      await refuseIfBillingIsManaged(tx);
      const offering = await offeringFor(tx, input);
      const customer = await customerFor(tx, input);
      const [license] = await issueLicenses(tx, [newLicense(ctx, input, offering, customer)], {
        customer,
        entitlements: await entitlementsOfOffering(tx, offering.id),
        suppliedKey: null,
        generateKeys: false,
      });
      return { licenseId: (license as { id: string }).id };
    },
    assigneeTaken,
  );
}

async function refuseIfBillingIsManaged(tx: Tx): Promise<void> {
  const { businessId: id } = tenantOf(tx.ctx);
  const { managedBilling } = await tx.prisma.business.findUniqueOrThrow({ where: { id } });
  if (!managedBilling) return;
  const message = 'Billing is managed here: licenses come from orders and wallet purchases.';
  throw refusal('DirectLicenseCreationDisabled', ['input'], message);
}

async function offeringFor(tx: Tx, { productOfferingId, type }: CreateLicenseInput): Promise<ProductOffering> {
  const path = ['input', 'productOfferingId'];
  // Locked: its terms stay as they are read here until the license stands.
  const offering = await lockShared(tx, 'ProductOffering', productOfferingId, 'USE');
  if (!offering) throw refusal('ProductOfferingNotFound', path, 'There is no product offering with this id.');
  if (offering.status !== 'AVAILABLE') {
    throw refusal(
      'ProductOfferingUnavailable',
      path,
      'No new licenses are made from this offering. Choose another one.',
    );
  }
  const expected = offering.licenseType;
  if (type == null || type === expected) return offering;
  const message = `The offering makes licenses of the type ${JSON.stringify(expected)}. Give that one, or none.`;
  throw refusal('LicenseTypeMismatch', ['input', 'type'], message, { expected });
}

async function customerFor(tx: Tx, { customerId }: CreateLicenseInput): Promise<Customer> {
  const id = uuidOf('Customer', customerId);
  const customer = await tx.prisma.customer.findUnique({
    where: { businessId_mode_id: { ...tenantOf(tx.ctx), id } },
  });
  if (!customer) throw await customerMissing(tx, id);
  refuseOtherBrands(tx.ctx, { brandId: customer.brandId, path: ['input', 'customerId'] });
  return customer;
}

function newLicense(
  ctx: RequestContext,
  { activationDate, assignedTo, details, metadata }: CreateLicenseInput,
  offering: ProductOffering,
  customer: Customer,
): NewLicense {
  return {
    customerId: customer.id,
    type: offering.licenseType,
    productOfferingId: offering.id,
    packageId: null,
    subscriptionTypeId: null,
    orderId: null,
    validFrom: activationDate ?? ctx.now,
    validUntil: null,
    assignedTo: assignedTo
      ? {
          type: assignedTo.type.trim(),
          id: assignedTo.id.trim(),
          displayName: presentText(assignedTo.displayName),
          details: assignedTo.details ? mergedMetadata({}, assignedTo.details) : null,
        }
      : null,
    details: details ? mergedMetadata({}, details) : null,
    amountMinor: null,
    currency: null,
    description: null,
    tags: [],
    metadata: mergedMetadata({}, metadata),
  };
}
