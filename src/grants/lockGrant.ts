import type { Customer, Entitlement, Grant } from '../generated/prisma/client.js';
import { refuseOtherBrands } from '../kernel/brand.js';
import { uuidOf } from '../kernel/id.js';
import { missing } from '../kernel/missing.js';
import { tenantOf } from '../kernel/requestContext.js';
import { columnsOf } from '../kernel/rows.js';
import type { SqlTx } from '../kernel/transaction.js';

/** A grant, locked until the transaction ends, with what is needed to fulfil it. */
export interface LockedGrant {
  readonly grant: Grant;
  readonly customer: Pick<Customer, 'id' | 'email'>;
  readonly entitlement: Pick<Entitlement, 'activationsLimit' | 'durationCount' | 'durationUnit'>;
}

type Row = Grant & LockedGrant['entitlement'] & Pick<Customer, 'brandId' | 'email'>;

const statement = `SELECT ${columnsOf('Grant', 'g')}, c.brand_id AS "brandId", c.email,
    e.activations_limit AS "activationsLimit", e.duration_count AS "durationCount", e.duration_unit AS "durationUnit"
  FROM grants g
  JOIN customers c ON c.business_id = g.business_id AND c.mode = g.mode AND c.id = g.customer_id
  JOIN entitlements e ON e.business_id = g.business_id AND e.id = g.entitlement_id
  WHERE g.business_id = $1 AND g.mode = $2 AND g.id = $3 FOR NO KEY UPDATE OF g`;

/**
 * A step, one statement: the grant that `grantId` names, locked.
 * @throws Refusal GrantNotFound (the same for foreign and unknown ids), ModeMismatch, BrandMismatch
 */
export async function lockGrant(tx: SqlTx, grantId: string): Promise<LockedGrant> {
  const { businessId, mode } = tenantOf(tx.ctx);
  const path = ['input', 'grantId'];
  const id = uuidOf('Grant', grantId);
  const [row] = await tx.sql<Row>('lock_grant', statement, [businessId, mode, id]);
  if (!row) throw await missing(tx, 'Grant', id, path, 'GrantNotFound', 'There is no grant with this id.');
  const { brandId, email, activationsLimit, durationCount, durationUnit, ...grant } = row;
  refuseOtherBrands(tx.ctx, { brandId, path });
  const customer = { id: grant.customerId, email };
  return { grant, customer, entitlement: { activationsLimit, durationCount, durationUnit } };
}
