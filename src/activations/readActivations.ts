import type { Activation } from '../generated/prisma/client.js';
import type { RequestContext } from '../kernel/requestContext.js';
import { columnsOf } from '../kernel/rows.js';
import { scopeOf } from '../kernel/tenancy.js';
import type { ActivationRefs } from './keyForDevice.js';

/** The activation that a mutation has answered with. */
export async function readActivation(
  db: RequestContext['db'],
  { businessId, mode, activationId }: ActivationRefs,
): Promise<Activation | null> {
  const [activation] = await db.sql<Activation>(
    'activation_by_refs',
    `SELECT ${columnsOf('Activation')} FROM activations WHERE business_id = $1 AND mode = $2 AND id = $3`,
    [businessId, mode, activationId],
  );
  return activation ?? null;
}

/** How many seats of keys are free by a lapsed lease and not written down yet, in the order of the keys: one statement. */
export async function freedSeats(ctx: RequestContext, licenseKeyIds: readonly string[]): Promise<number[]> {
  const scope = Object.entries(scopeOf(ctx, 'Activation'));
  const conditions = scope.map(([column], i) => `AND ${column} = $${i + 3}`).join(' ');
  const rows = await ctx.db.sql<{ id: string; count: number }>(
    `freed_seats_${scope.length}`,
    `SELECT license_key_id AS id, count(*)::int AS count FROM activations
      WHERE license_key_id = ANY($1::uuid[]) AND ended_at IS NULL AND lease_until <= $2 ${conditions} GROUP BY 1`,
    [licenseKeyIds, ctx.now, ...scope.map(([, value]) => value)],
  );
  const counts = new Map(rows.map(({ id, count }) => [id, count]));
  return licenseKeyIds.map((id) => counts.get(id) ?? 0);
}
