import type { Entitlement } from '../generated/prisma/client.js';
import { tenantOf } from '../kernel/requestContext.js';
import { columnsOf } from '../kernel/rows.js';
import type { SqlReader } from '../kernel/transaction.js';

const text = `SELECT o.id AS "__offering", ${columnsOf('Entitlement', 'e')}
  FROM product_offerings o JOIN LATERAL (
    SELECT entitlement_id, min(created_at) AS attached_at FROM (
      SELECT entitlement_id, created_at FROM entitlement_attachments WHERE business_id = $1 AND product_id = o.product_id
      UNION ALL
      SELECT entitlement_id, created_at FROM entitlement_attachments WHERE business_id = $1 AND product_offering_id = o.id
    ) attached GROUP BY entitlement_id) a ON true
  JOIN entitlements e ON e.business_id = $1 AND e.id = a.entitlement_id
  WHERE o.business_id = $1 AND o.id = ANY ($2::uuid[]) ORDER BY a.attached_at, e.id`;

/**
 * A step, one statement: what each of these offerings gives, its product's entitlements and its own united; archived ones too,
 * because what was granted of them stays. In the order of their first attachment.
 */
export async function entitlementsByOffering(
  reader: SqlReader,
  productOfferingIds: readonly string[],
): Promise<Map<string, Entitlement[]>> {
  const byOffering = new Map<string, Entitlement[]>(productOfferingIds.map((id) => [id, []]));
  const rows = await reader.sql<Entitlement & { __offering: string }>('entitlements_by_offering', text, [
    tenantOf(reader.ctx).businessId,
    productOfferingIds,
  ]);
  for (const { __offering, ...entitlement } of rows) byOffering.get(__offering)?.push(entitlement);
  return byOffering;
}
