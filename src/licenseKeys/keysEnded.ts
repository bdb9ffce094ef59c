import DataLoader from 'dataloader';
import { tenantOf, type RequestContext } from '../kernel/requestContext.js';
import { isCancelled } from '../lifecycle/effective.js';

/**
 * Keys whose last license was cancelled by a schedule that is not written yet, and since when: no license that is not cancelled
 * uses them. Over the tenant, the keys and now.
 */
export const endedKeys = `SELECT b.license_key_id AS id,
      max(l.pending_status_at) FILTER (WHERE l.status <> 'CANCELLED') AS "endedAt"
    FROM license_key_bindings b
    JOIN licenses l ON l.business_id = b.business_id AND l.mode = b.mode AND l.id = b.license_id
    WHERE b.business_id = $1 AND b.mode = $2 AND b.license_key_id = ANY($3::uuid[])
    GROUP BY b.license_key_id
    HAVING bool_and(${isCancelled('$4', 'l')}) AND bool_or(l.status <> 'CANCELLED')`;

/**
 * The same of one key, as SQL. Asked first is what is due, which few licenses are.
 * @param now the placeholder of the instant
 * @param alias of `license_keys`
 */
export function isEnded(now: string, alias: string): string {
  const licenses = `license_key_bindings b
      JOIN licenses l ON l.business_id = b.business_id AND l.mode = b.mode AND l.id = b.license_id
    WHERE b.business_id = ${alias}.business_id AND b.mode = ${alias}.mode AND b.license_key_id = ${alias}.id`;
  return `(EXISTS (SELECT 1 FROM ${licenses} AND l.pending_status = 'CANCELLED' AND l.pending_status_at <= ${now})
    AND NOT EXISTS (SELECT 1 FROM ${licenses} AND NOT ${isCancelled(now, 'l')}))`;
}

/** Whether a key has ended with its licenses, though that is not written yet: one statement for all keys. */
export function keysEnded(ctx: RequestContext): DataLoader<string, boolean> {
  return new DataLoader(async (ids) => {
    const { businessId, mode } = tenantOf(ctx);
    const rows = await ctx.db.sql<{ id: string }>('keys_ended', endedKeys, [businessId, mode, ids, ctx.now]);
    const ended = new Set(rows.map(({ id }) => id));
    return ids.map((id) => ended.has(id));
  });
}
