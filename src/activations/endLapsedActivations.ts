import { recordChange } from '../events/recordChange.js';
import type { Activation } from '../generated/prisma/client.js';
import type { Tenant } from '../kernel/requestContext.js';
import { columnsOf } from '../kernel/rows.js';
import type { SqlTx } from '../kernel/transaction.js';
import { releaseSeats } from './seats.js';

/**
 * A step: writes down which leases of a locked key have run out, each by the server and dated with its own instant, and frees
 * their seats. Readers see them ended since that instant anyway.
 * @returns how many
 */
export async function endLapsedActivations(tx: SqlTx, tenant: Tenant, licenseKeyId: string): Promise<number> {
  const lapsed = await tx.sql<Activation>(
    'end_lapsed_activations',
    `UPDATE activations SET ended_at = lease_until, ended_by = 'LAPSED', version = version + 1, updated_at = lease_until
      WHERE business_id = $1 AND mode = $2 AND license_key_id = $3 AND ended_at IS NULL AND lease_until <= $4
      RETURNING ${columnsOf('Activation')}`,
    [tenant.businessId, tenant.mode, licenseKeyId, tx.ctx.now],
  );
  for (const activation of lapsed) {
    const { endedAt, endedBy } = activation;
    recordChange(asServer(tx, tenant, endedAt as Date), {
      type: 'activation.lapsed',
      objectType: 'Activation',
      objectId: activation.id,
      sequence: activation.version,
      before: { endedAt: null, endedBy: null },
      after: { endedAt, endedBy },
      snapshot: activation,
    });
  }
  if (lapsed.length > 0) await releaseSeats(tx, tenant, licenseKeyId, lapsed.length);
  return lapsed.length;
}

function asServer(tx: SqlTx, tenant: Tenant, at: Date): SqlTx {
  return { ...tx, ctx: { ...tx.ctx, viewer: { principal: 'SYSTEM', ...tenant, brandId: null }, now: at, actor: null } };
}
