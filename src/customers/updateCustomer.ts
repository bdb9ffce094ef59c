import type { UpdateCustomerInput } from '../generated/graphql.js';
import { refuseOtherBrands } from '../kernel/brand.js';
import { uuidOf } from '../kernel/id.js';
import { refuseIfAny } from '../kernel/refusal.js';
import { refuseIfStale } from '../kernel/version.js';
import { tenantOf, type RequestContext } from '../kernel/requestContext.js';
import { inTransaction } from '../kernel/transaction.js';
import { changeCustomer } from './changeCustomer.js';
import { customerConflicts, customerProblems } from './customer.js';
import { customerMissing, lockCustomer } from './lockCustomer.js';

/**
 * Changes a customer: absent leaves, null clears, metadata merges.
 * @throws Refusal InvalidInput, CustomerNotFound, StaleObject, CustomerErased, OrganizationNotFound, ModeMismatch,
 *   OrganizationArchived, CustomerCodeTaken, ExternalIdTaken, EmailTaken
 */
export async function updateCustomer(ctx: RequestContext, input: UpdateCustomerInput): Promise<{ customerId: string }> {
  refuseIfAny(customerProblems(input));
  return inTransaction(
    ctx,
    async (tx) => {
      const id = uuidOf('Customer', input.customerId);
      const current = await lockCustomer(tx, { ...tenantOf(ctx), id });
      if (!current) throw await customerMissing(tx, id);
      refuseOtherBrands(ctx, { brandId: current.brandId, path: ['input', 'customerId'] });
      refuseIfStale(current, input.expectedVersion);
      await changeCustomer(tx, current, input);
      return { customerId: current.id };
    },
    customerConflicts,
  );
}
