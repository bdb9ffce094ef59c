import type { Customer, Entitlement, Grant } from '../generated/prisma/client.js';
import { refuseOtherBrands } from '../kernel/brand.js';
import { uuidOf } from '../kernel/id.js';
import { missing } from '../kernel/missing.js';
import { tenantOf } from '../kernel/requestContext.js';
import { columnsOf } from '../kernel/rows.js';
import type { SqlTx } from '../kernel/transaction.js';
import { carryOutDueEffects } from './carryOutDueEffects.js';

/** A grant, locked until the transaction ends, with what is needed to fulfil it. */
export interface LockedGrant {
  readonly grant: Grant;
  readonly customer: Pick<Customer, 'id' | 'email'>;
  readonly entitlement: Pick<Entitlement, 'activationsLimit' | 'durationCount' | 'durationUnit'>;
  /** What happened to its license by itself was written of it just now. */
  readonly isCarriedOut: boolean;
}

type Row = Grant & LockedGrant['entitlement'] & Pick<Customer, 'brandId' | 'email'> & { isLicenseDue: boolean };

const statement = `SELECT ${columnsOf('Grant', 'g')}, c.brand_id AS "brandId", c.email,
    e.activations_limit AS "activationsLimit", e.duration_count AS "durationCount", e.duration_unit AS "durationUnit",
    (l.pending_status_at <= $4 OR (l.valid_until <= $4 AND l.expired_at IS NULL)) IS TRUE AS "isLicenseDue"
  FROM grants g
  JOIN customers c ON c.business_id = g.business_id AND c.mode = g.mode AND c.id = g.customer_id
  JOIN entitlements e ON e.business_id = g.business_id AND e.id = g.entitlement_id
  LEFT JOIN licenses l ON l.business_id = g.business_id AND l.mode = g.mode AND l.id = g.license_id
  WHERE g.business_id = $1 AND g.mode = $2 AND g.id = $3 FOR NO KEY UPDATE OF g`;

/**
 * A step, one statement: the grant that `grantId` names, locked. Where its license has changed by itself and that is not written
 * yet, what that did to the grant is written first.
 * @throws Refusal GrantNotFound (the same for foreign and unknown ids), ModeMismatch, BrandMismatch
 */
export async function lockGrant(tx: SqlTx, grantId: string): Promise<LockedGrant> {
  const { businessId, mode } = tenantOf(tx.ctx);
  const path = ['input', 'grantId'];
  const id = uuidOf('Grant', grantId);
  const [row] = await tx.sql<Row>('lock_grant', statement, [businessId, mode, id, tx.ctx.now]);
  if (!row) throw await missing(tx, 'Grant', id, path, 'GrantNotFound', 'There is no grant with this id.');
  const { brandId, email, activationsLimit, durationCount, durationUnit, isLicenseDue, ...stored } = row;
  refuseOtherBrands(tx.ctx, { brandId, path });
  const grant = isLicenseDue ? await carryOutDueEffects(tx, stored) : stored;
  const customer = { id: grant.customerId, email };
  const entitlement = { activationsLimit, durationCount, durationUnit };
  return { grant, customer, entitlement, isCarriedOut: grant !== stored };
}
