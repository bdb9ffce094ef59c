import type { CreateCustomerInput } from '../generated/graphql.js';
import { refuseIfAny } from '../kernel/refusal.js';
import type { RequestContext } from '../kernel/requestContext.js';
import { inTransaction } from '../kernel/transaction.js';
import { addCustomer } from './addCustomer.js';
import { customerConflicts, customerProblems } from './customer.js';

/**
 * Creates a customer in the brand that the caller names, else in the primary one.
 * @throws Refusal InvalidInput, OrganizationNotFound, ModeMismatch, OrganizationArchived, CustomerCodeTaken, ExternalIdTaken,
 *   EmailTaken
 */
export async function createCustomer(ctx: RequestContext, input: CreateCustomerInput): Promise<{ customerId: string }> {
  refuseIfAny(customerProblems(input));
  const work = async (tx: Parameters<typeof addCustomer>[0]) => ({ customerId: (await addCustomer(tx, input)).id });
  return inTransaction(ctx, work, customerConflicts);
}
