import { recordChange } from '../events/recordChange.js';
import type { CreateCustomerInput } from '../generated/graphql.js';
import type { Customer } from '../generated/prisma/client.js';
import { changedFields } from '../kernel/changedFields.js';
import { refuseErased } from '../kernel/erased.js';
import { refuseIfAny, type UserErrorData } from '../kernel/refusal.js';
import { checkMetadata, mergedMetadata } from '../kernel/text.js';
import type { Tx } from '../kernel/transaction.js';
import { joinedOrganization } from '../organizations/joinedOrganization.js';
import { customerColumns } from './customer.js';

/**
 * A step: applies fields that were checked to a customer whose row is locked. A change of nothing writes nothing.
 * @throws Refusal InvalidInput, CustomerErased, OrganizationNotFound, ModeMismatch, OrganizationArchived
 */
export async function changeCustomer(tx: Tx, current: Customer, input: CreateCustomerInput): Promise<void> {
  const { now } = tx.ctx;
  refuseErased(current, ['input', 'customerId']);
  const metadata = mergedMetadata(current.metadata, input.metadata);
  const problems: UserErrorData[] = [];
  checkMetadata(problems, ['input', 'metadata'], metadata);
  refuseIfAny(problems);
  const columns: Partial<Customer> = { ...customerColumns(input), metadata };
  const organizationId = await joinedOrganization(tx, input.organizationId, current.organizationId);
  if (organizationId !== undefined) columns.organizationId = organizationId;
  if (columns.email !== undefined && columns.email !== current.email) columns.isEmailVerified ??= false;
  const changed = changedFields(current, columns);
  if (!changed) return;
  const { businessId, mode, id } = current;
  const customer = await tx.prisma.customer.update({
    where: { businessId_mode_id: { businessId, mode, id } },
    data: { ...changed.after, version: { increment: 1 }, updatedAt: now } as never,
  });
  recordChange(tx, {
    type: 'customer.updated',
    objectType: 'Customer',
    objectId: id,
    sequence: customer.version,
    ...changed,
    snapshot: customer,
  });
}
