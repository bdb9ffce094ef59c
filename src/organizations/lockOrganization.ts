import type { Organization } from '../generated/prisma/client.js';
import { uuidOf } from '../kernel/id.js';
import { missing } from '../kernel/missing.js';
import { tenantOf } from '../kernel/requestContext.js';
import { columnsOf } from '../kernel/rows.js';
import type { SqlTx } from '../kernel/transaction.js';

/**
 * A step: the organization that `organizationId` names, locked until the transaction ends.
 * @param strength CHANGE against every other change of it; USE only against changes, so that many customers may join at once
 * @throws Refusal OrganizationNotFound (the same for foreign and unknown ids), ModeMismatch
 */
export async function lockOrganization(
  tx: SqlTx,
  organizationId: string,
  strength: 'CHANGE' | 'USE' = 'CHANGE',
): Promise<Organization> {
  const { businessId, mode } = tenantOf(tx.ctx);
  const id = uuidOf('Organization', organizationId);
  const lock = strength === 'CHANGE' ? 'FOR NO KEY UPDATE' : 'FOR SHARE';
  const [organization] = await tx.sql<Organization>(
    `lock_organization_${strength}`,
    `SELECT ${columnsOf('Organization')} FROM organizations WHERE business_id = $1 AND mode = $2 AND id = $3 ${lock}`,
    [businessId, mode, id],
  );
  if (organization) return organization;
  const message = 'There is no organization with this id.';
  throw await missing(tx, 'Organization', id, ['input', 'organizationId'], 'OrganizationNotFound', message);
}
