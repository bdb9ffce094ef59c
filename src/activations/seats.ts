import type { Tenant } from '../kernel/requestContext.js';
import type { SqlTx } from '../kernel/transaction.js';

/**
 * A step: takes one seat of a locked key, if one is free; the statement itself guards the limit.
 * @returns whether it was taken
 */
export async function takeSeat(tx: SqlTx, { businessId, mode }: Tenant, licenseKeyId: string): Promise<boolean> {
  const taken = await tx.sql(
    'take_seat',
    `UPDATE license_keys SET activations_used = activations_used + 1
      WHERE business_id = $1 AND mode = $2 AND id = $3
        AND (activations_limit IS NULL OR activations_used < activations_limit) RETURNING 1 AS one`,
    [businessId, mode, licenseKeyId],
  );
  return taken.length === 1;
}

/** A step: frees seats of a locked key. */
export async function releaseSeats(
  tx: SqlTx,
  { businessId, mode }: Tenant,
  licenseKeyId: string,
  count: number,
): Promise<void> {
  await tx.sql(
    'release_seats',
    `UPDATE license_keys SET activations_used = activations_used - $4
      WHERE business_id = $1 AND mode = $2 AND id = $3 RETURNING 1 AS one`,
    [businessId, mode, licenseKeyId, count],
  );
}
