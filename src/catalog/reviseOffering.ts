import { recordChange } from '../events/recordChange.js';
import { recordUpdate } from '../events/recordUpdate.js';
import type { ProductOffering } from '../generated/prisma/client.js';
import { newId } from '../kernel/id.js';
import { tenantOf } from '../kernel/requestContext.js';
import type { Metadata } from '../kernel/text.js';
import type { SqlTx, Tx } from '../kernel/transaction.js';
import { putInPlace } from './packageOfferings.js';

/** What a revision has instead of what it supersedes. */
export type OfferingChange = Partial<Omit<ProductOffering, 'metadata'>> & { metadata: Metadata };

/**
 * A step: puts a new revision in the place of an offering that is locked: it carries over the entitlements and the places in
 * packages. The old one keeps all but its status, its entitlements too.
 * @returns the revision's id
 */
export async function reviseOffering(tx: Tx, current: ProductOffering, change: OfferingChange): Promise<string> {
  const { now } = tx.ctx;
  await recordUpdate(tx, 'product_offering.superseded', {
    model: 'ProductOffering',
    current,
    change: { status: 'SUPERSEDED' },
  });
  const revised = await tx.prisma.productOffering.create({
    data: {
      ...current,
      ...change,
      id: newId(),
      revision: current.revision + 1,
      supersedesId: current.id,
      version: 1,
      createdAt: now,
      updatedAt: now,
    },
  });
  const { id } = revised;
  const entitlementIds = await copyEntitlements(tx, current.id, id);
  recordChange(tx, {
    type: 'product_offering.created',
    objectType: 'ProductOffering',
    objectId: id,
    sequence: 1,
    snapshot: { ...revised, entitlementIds },
  });
  await putInPlace(tx, current.id, id);
  return id;
}

/** @returns ids of the entitlements, in the order of their attachment */
async function copyEntitlements(tx: SqlTx, from: string, to: string): Promise<string[]> {
  const { businessId } = tenantOf(tx.ctx);
  const attached = await tx.sql<{ id: string; at: Date }>(
    'entitlements_attached_to_offering',
    `SELECT entitlement_id AS id, created_at AS at FROM entitlement_attachments
      WHERE business_id = $1 AND product_offering_id = $2 ORDER BY created_at, entitlement_id`,
    [businessId, from],
  );
  await tx.sql(
    'attach_entitlements_to_offering',
    `INSERT INTO entitlement_attachments (business_id, id, entitlement_id, product_offering_id, created_at)
     SELECT $1, a.id, a.entitlement_id, $2, a.created_at
       FROM unnest($3::uuid[], $4::uuid[], $5::timestamptz[]) AS a (id, entitlement_id, created_at)`,
    [businessId, to, attached.map(() => newId()), attached.map(({ id }) => id), attached.map(({ at }) => at)],
  );
  return attached.map(({ id }) => id);
}
