import { licenseKeyExpiry } from '../entitlements/entitlement.js';
import { recordChange } from '../events/recordChange.js';
import type { FulfillLicenseKeyGrantInput } from '../generated/graphql.js';
import type { Grant } from '../generated/prisma/client.js';
import { changedFields } from '../kernel/changedFields.js';
import { Refusal, refuseIfAny, type UserErrorData } from '../kernel/refusal.js';
import type { RequestContext } from '../kernel/requestContext.js';
import { inSqlTransaction, type SqlTx } from '../kernel/transaction.js';
import { addLicenseKey } from '../licenseKeys/addLicenseKey.js';
import { holdPrefixes, keyMakerFor, refuseReservedPrefix } from '../licenseKeys/keyMaker.js';
import { checkKey, checkKeyLimits, licenseKeyTaken } from '../licenseKeys/licenseKey.js';
import { queueDelivery } from '../mail/queueDelivery.js';
import { whyNotFulfillable } from './grant.js';
import { lockGrant, type LockedGrant } from './lockGrant.js';

/**
 * Supplies the key of a grant that waits for one (as Dodo Payments does): stores it, delivers the grant and queues the mail, all or
 * nothing. What is left out comes from the entitlement, its duration counted from the delivery. Of several calls for one grant,
 * or with one key, one wins. Refuses in this order: what is wrong with the fields (all at once), the grant, the key.
 * @throws Refusal KeyBlank, InvalidInput, InvalidActivationsLimit, InvalidExpiry, GrantNotFound, ModeMismatch, BrandMismatch,
 *   NotALicenseKeyGrant, NotManualFulfillment, GrantNotPending, GrantHasKey, GrantClaimed, ReservedKeyPrefix,
 *   LicenseKeyTaken
 */
export async function fulfillLicenseKeyGrant(
  ctx: RequestContext,
  input: FulfillLicenseKeyGrantInput,
): Promise<{ grantId: string }> {
  return inSqlTransaction(
    ctx,
    async (tx) => {
      // Asked behind the claim of the idempotency key: a retry that comes after the expiry is answered, not refused.
      refuseIfAny(problemsOf(ctx, input));
      const locked = await lockGrant(tx, input.grantId);
      const why = whyNotFulfillable(locked.grant, ctx);
      if (why) throw new Refusal([why]);
      const key = input.key.trim();
      await holdPrefixes(tx);
      refuseReservedPrefix(await keyMakerFor(tx), ['input', 'key'], key);
      await deliver(tx, locked, { ...input, key });
      return { grantId: locked.grant.id };
    },
    licenseKeyTaken(['input', 'key']),
  );
}

function problemsOf({ now }: RequestContext, input: FulfillLicenseKeyGrantInput): UserErrorData[] {
  const problems: UserErrorData[] = [];
  checkKey(problems, ['input', 'key'], input.key);
  checkKeyLimits(problems, ['input'], input, now);
  return problems;
}

async function deliver(
  tx: SqlTx,
  { grant, customer, entitlement }: LockedGrant,
  { key, activationsLimit, expiresAt }: FulfillLicenseKeyGrantInput,
): Promise<void> {
  // Never before the issue, should the clocks of two processes differ.
  const deliveredAt = new Date(Math.max(tx.ctx.now.getTime(), grant.createdAt.getTime()));
  const licenseKey = addLicenseKey(tx, {
    customerId: customer.id,
    licenseId: grant.licenseId,
    key,
    source: 'MANUAL',
    activationsLimit: activationsLimit ?? entitlement.activationsLimit,
    expiresAt: expiresAt ?? licenseKeyExpiry(entitlement, deliveredAt),
  });
  const delivered = {
    ...grant,
    status: 'DELIVERED' as const,
    licenseKeyId: licenseKey.id,
    deliveredAt,
    claimedBy: null,
    claimedUntil: null,
    version: grant.version + 1,
    updatedAt: tx.ctx.now,
  };
  recordDelivery(tx, grant, delivered);
  queueDelivery(tx, { customerId: customer.id, recipient: customer.email, grantId: grant.id, template: 'license-key' });
  // The key is written first: the grant points to it.
  await tx.flush();
  await writeDelivered(tx, delivered);
}

function recordDelivery(tx: SqlTx, grant: Grant, delivered: Grant): void {
  const { updatedAt: _, version: __, ...fields } = delivered;
  recordChange(tx, {
    type: 'entitlement_grant.delivered',
    objectType: 'Grant',
    objectId: grant.id,
    sequence: delivered.version,
    ...changedFields(grant, fields),
    snapshot: delivered,
  });
}

async function writeDelivered(tx: SqlTx, grant: Grant): Promise<void> {
  const written = await tx.sql(
    'deliver_grant',
    `UPDATE grants SET status = 'DELIVERED', license_key_id = $4, delivered_at = $5, claimed_by = NULL, claimed_until = NULL,
        version = $6, updated_at = $7
      WHERE business_id = $1 AND mode = $2 AND id = $3
        AND status = 'PENDING' AND license_key_id IS NULL AND version = $6 - 1
      RETURNING id`,
    [grant.businessId, grant.mode, grant.id, grant.licenseKeyId, grant.deliveredAt, grant.version, grant.updatedAt],
  );
  if (written.length !== 1) throw new Error('a grant changed while its row was locked');
}
