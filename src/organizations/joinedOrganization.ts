import { refusal } from '../kernel/refusal.js';
import type { SqlTx } from '../kernel/transaction.js';
import { lockOrganization } from './lockOrganization.js';

/**
 * A step: the organization that a customer shall belong to, held against being archived until the transaction ends.
 * @param organizationId as the input has it: absent leaves, null clears
 * @param current the one that it belongs to; staying there is no joining, so an archived one may keep its customers
 * @returns what to write; undefined: nothing
 * @throws Refusal OrganizationNotFound, ModeMismatch, OrganizationArchived
 */
export async function joinedOrganization(
  tx: SqlTx,
  organizationId: string | null | undefined,
  current: string | null,
): Promise<string | null | undefined> {
  if (organizationId == null) return organizationId;
  const { id, archivedAt } = await lockOrganization(tx, organizationId, 'USE');
  if (archivedAt === null || id === current) return id;
  const message = 'The organization is archived: no customer is put into it. Choose another one, or none.';
  throw refusal('OrganizationArchived', ['input', 'organizationId'], message);
}
