import { licenseKeyExpiry } from '../entitlements/entitlement.js';
import { recordChange } from '../events/recordChange.js';
import type { Entitlement, Grant, LicenseKey } from '../generated/prisma/client.js';
import { tenantOf } from '../kernel/requestContext.js';
import { columnsOf } from '../kernel/rows.js';
import type { SqlTx } from '../kernel/transaction.js';

type Row = LicenseKey & Pick<Entitlement, 'durationCount' | 'durationUnit'>;

const lock = `SELECT ${columnsOf('LicenseKey', 'k')}, e.duration_count AS "durationCount", e.duration_unit AS "durationUnit"
  FROM grants g
  JOIN license_keys k ON k.business_id = g.business_id AND k.mode = g.mode AND k.id = g.license_key_id
  JOIN entitlements e ON e.business_id = g.business_id AND e.id = g.entitlement_id
  WHERE g.business_id = $1 AND g.mode = $2 AND g.id = ANY($3::uuid[]) AND k.expires_at IS NOT NULL
  ORDER BY k.id FOR NO KEY UPDATE OF k`;

const write = `UPDATE license_keys k SET expires_at = given.expires_at, version = k.version + 1, updated_at = $5
  FROM unnest($3::uuid[], $4::timestamptz[]) AS given (id, expires_at)
  WHERE k.business_id = $1 AND k.mode = $2 AND k.id = given.id RETURNING ${columnsOf('LicenseKey', 'k')}`;

/**
 * A step: the keys of grants that were born taken back, and are delivered only now, count the entitlement's duration from now.
 * A key whose expiry was changed meanwhile keeps what somebody gave it. Records `license_key.updated`.
 */
export async function startKeys(
  tx: SqlTx,
  changed: readonly { readonly before: Grant; readonly after: Grant }[],
): Promise<void> {
  const first = changed.filter(({ before, after }) => before.deliveredAt === null && after.deliveredAt !== null);
  if (first.length === 0) return;
  const { businessId, mode } = tenantOf(tx.ctx);
  const ids = first.map(({ after }) => after.id);
  const keys = await tx.sql<Row>('lock_keys_to_start', lock, [businessId, mode, ids]);
  const late = keys.flatMap(({ id, createdAt, expiresAt, ...duration }) => {
    const isAsBorn = licenseKeyExpiry(duration, createdAt)?.getTime() === expiresAt?.getTime();
    const expiry = licenseKeyExpiry(duration, tx.ctx.now);
    if (!isAsBorn || !expiry || !expiresAt || expiry <= expiresAt) return [];
    return [{ id, before: { expiresAt }, after: { expiresAt: expiry } }];
  });
  if (late.length === 0) return;
  const written = await tx.sql<LicenseKey>('start_keys', write, [
    ...[businessId, mode, late.map(({ id }) => id), late.map(({ after }) => after.expiresAt), tx.ctx.now],
  ]);
  for (const { id, before, after } of late) {
    const snapshot = written.find((key) => key.id === id) as LicenseKey;
    const about = { objectType: 'LicenseKey', objectId: id, sequence: snapshot.version, snapshot } as const;
    recordChange(tx, { type: 'license_key.updated', ...about, before, after });
  }
}
