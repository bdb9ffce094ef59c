import type { HeartbeatActivationInput } from '../generated/graphql.js';
import type { Activation } from '../generated/prisma/client.js';
import { refusal, refuseIfAny, type Refusal, type UserErrorData } from '../kernel/refusal.js';
import type { RequestContext } from '../kernel/requestContext.js';
import { inSqlTransaction, type SqlTx } from '../kernel/transaction.js';
import { endOfActivation } from '../validation/judgeDevice.js';
import { checkFingerprint } from './activation.js';
import { deviceTenant, findKey, tryingKey, type ActivationRefs, whyNotValid } from './keyForDevice.js';
import { lockActivation } from './lockActivation.js';

/**
 * Renews a device's lease and notes that it was seen; no change, so nothing is recorded. One guarded statement: a lease that
 * has run out is not renewed, because its seat may be another device's by now.
 * @throws Refusal InvalidInput, ModeMismatch, LicenseKeyNotValid, ActivationNotFound, ActivationEnded; ClientError
 *   BRAND_NOT_FOUND, RATE_LIMITED
 */
export async function heartbeatActivation(
  ctx: RequestContext,
  input: HeartbeatActivationInput,
): Promise<ActivationRefs> {
  const problems: UserErrorData[] = [];
  checkFingerprint(problems, input.fingerprint);
  refuseIfAny(problems);
  const tenant = await deviceTenant(ctx, input);
  const { key, fingerprint } = input;
  return tryingKey(ctx, (known) =>
    inSqlTransaction(ctx, async (tx) => {
      const asked = await findKey(tx, tenant, { key, fingerprint });
      if (asked.isKnown) known();
      const why = whyNotValid(asked);
      if (why) throw why;
      const activation = asked.found?.device?.activation;
      if (!activation) {
        const message = 'The key was never activated on this device. Activate it with `activateLicenseKey`.';
        throw refusal('ActivationNotFound', ['input', 'fingerprint'], message);
      }
      if (!(await renew(tx, activation))) throw await whyEnded(tx, activation);
      return { activationId: activation.id, businessId: tenant.businessId, mode: tenant.mode };
    }),
  );
}

async function renew(tx: SqlTx, { businessId, mode, id }: Activation): Promise<boolean> {
  const renewed = await tx.sql(
    'renew_lease',
    `UPDATE activations SET last_seen_at = greatest(last_seen_at, $4),
        lease_until = greatest(lease_until, $4::timestamptz + make_interval(secs => lease_seconds))
      WHERE business_id = $1 AND mode = $2 AND id = $3 AND ended_at IS NULL AND (lease_until <= $4) IS NOT TRUE
      RETURNING 1 AS one`,
    [businessId, mode, id, tx.ctx.now],
  );
  return renewed.length === 1;
}

async function whyEnded(tx: SqlTx, { businessId, mode, licenseKeyId, fingerprint }: Activation): Promise<Refusal> {
  const current = await lockActivation(tx, { businessId, mode }, licenseKeyId, fingerprint);
  const end = current && endOfActivation(current, tx.ctx.now);
  if (!end) throw new Error('an activation that has not ended was not renewed');
  const how = end.status === 'LAPSED' ? 'Its lease lapsed' : 'It was deactivated';
  const message = `${how} at ${end.endedAt.toISOString()}. Activate the device again with \`activateLicenseKey\`.`;
  return refusal('ActivationEnded', ['input', 'fingerprint'], message, end);
}
