import type { ProductKey, ProductKeySla, SlaDefinitionVersion } from '../generated/prisma/client.js';
import { tenantOf } from '../kernel/requestContext.js';
import { columnsOf } from '../kernel/rows.js';
import type { SqlTx } from '../kernel/transaction.js';

/** A step: how a definition was attached last to a locked product key; null: it never was. */
export async function lastAttachment(
  tx: SqlTx,
  key: ProductKey,
  slaDefinitionId: string,
): Promise<ProductKeySla | null> {
  const [last] = await tx.sql<ProductKeySla>(
    'last_sla_of_product_key',
    `SELECT ${columnsOf('ProductKeySla')} FROM product_key_slas
      WHERE business_id = $1 AND mode = $2 AND product_key_id = $3 AND sla_definition_id = $4
      ORDER BY detached_at DESC NULLS FIRST, attached_at DESC, id DESC LIMIT 1`,
    [key.businessId, key.mode, key.id, slaDefinitionId],
  );
  return last ?? null;
}

/** A step: how many definitions a locked product key has now. */
export async function countAttached(tx: SqlTx, key: ProductKey): Promise<number> {
  const [row] = await tx.sql<{ count: number }>(
    'count_slas_of_product_key',
    `SELECT count(*)::int AS count FROM product_key_slas
      WHERE business_id = $1 AND mode = $2 AND product_key_id = $3 AND detached_at IS NULL`,
    [key.businessId, key.mode, key.id],
  );
  return row?.count ?? 0;
}

/** A step: ends an attachment. @returns when: now, or when it began, where that is a moment later on another request's clock */
export async function endAttachment(tx: SqlTx, { id, attachedAt }: ProductKeySla): Promise<Date> {
  const { businessId, mode } = tenantOf(tx.ctx);
  const at = attachedAt > tx.ctx.now ? attachedAt : tx.ctx.now;
  await tx.sql(
    'detach_sla',
    'UPDATE product_key_slas SET detached_at = $4 WHERE business_id = $1 AND mode = $2 AND id = $3',
    [businessId, mode, id, at],
  );
  return at;
}

/**
 * A step: the version of a definition that held for a product key at an instant: attached then, the key begun and not ended.
 * @returns null: none did
 */
export async function versionAt(
  tx: SqlTx,
  key: ProductKey,
  slaDefinitionId: string,
  at: Date,
): Promise<SlaDefinitionVersion | null> {
  const end = key.cancelledAt ?? key.expiredAt;
  if (at < key.startsAt || (end !== null && at >= end)) return null;
  const [version] = await tx.sql<SlaDefinitionVersion>(
    'sla_version_at',
    `SELECT ${columnsOf('SlaDefinitionVersion', 'v')} FROM product_key_slas s JOIN sla_definition_versions v
         ON v.business_id = s.business_id AND v.mode = s.mode AND v.id = s.sla_definition_version_id
      WHERE s.business_id = $1 AND s.mode = $2 AND s.product_key_id = $3 AND s.sla_definition_id = $4
        AND s.attached_at <= $5 AND (s.detached_at IS NULL OR s.detached_at > $5)`,
    [key.businessId, key.mode, key.id, slaDefinitionId, at],
  );
  return version ?? null;
}
