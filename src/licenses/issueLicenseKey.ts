import type { IssueLicenseKeyInput } from '../generated/graphql.js';
import type { Customer, License } from '../generated/prisma/client.js';
import { refusal, refuseIfAny, type UserErrorData } from '../kernel/refusal.js';
import type { RequestContext } from '../kernel/requestContext.js';
import { inSqlTransaction, type SqlTx } from '../kernel/transaction.js';
import { addLicenseKey } from '../licenseKeys/addLicenseKey.js';
import { holdPrefixes, keyMakerFor, refuseReservedPrefix } from '../licenseKeys/keyMaker.js';
import { checkKey, checkKeyLimits, licenseKeyTaken } from '../licenseKeys/licenseKey.js';
import { queueDelivery } from '../mail/queueDelivery.js';
import { carryOutDueChanges } from './carryOutDueChanges.js';
import { lockLicense } from './lockLicense.js';

/**
 * Makes another key for a license, supplied or of its product's pattern, and mails it to the customer. Keys that the license has
 * stay, and grants that wait for a key go on waiting.
 * @throws Refusal KeyBlank, InvalidInput, InvalidActivationsLimit, InvalidExpiry, LicenseNotFound, ModeMismatch, BrandMismatch,
 *   ReservedKeyPrefix, LicenseKeyTaken
 */
export async function issueLicenseKey(
  ctx: RequestContext,
  input: IssueLicenseKeyInput,
): Promise<{ licenseKeyId: string }> {
  return inSqlTransaction(
    ctx,
    async (tx) => {
      // Asked behind the claim of the idempotency key: a retry that comes after the expiry is answered, not refused.
      refuseIfAny(problemsOf(ctx, input));
      const license = await carryOutDueChanges(tx, await lockLicense(tx, input.licenseId));
      refuseIfCancelled(license);
      const { id } = addLicenseKey(tx, {
        customerId: license.customerId,
        licenseId: license.id,
        key: await keyFor(tx, license, input.key),
        source: input.key == null ? 'AUTO' : 'SUPPLIED',
        activationsLimit: input.activationsLimit ?? null,
        expiresAt: input.expiresAt ?? null,
      });
      await queueMail(tx, license, id);
      return { licenseKeyId: id };
    },
    licenseKeyTaken(['input', 'key']),
  );
}

function problemsOf({ now }: RequestContext, input: IssueLicenseKeyInput): UserErrorData[] {
  const problems: UserErrorData[] = [];
  if (input.key != null) checkKey(problems, ['input', 'key'], input.key);
  checkKeyLimits(problems, ['input'], input, now);
  return problems;
}

function refuseIfCancelled({ status }: License): void {
  if (status !== 'CANCELLED') return;
  const message = 'The license is cancelled: no key makes it work. Give another license.';
  throw refusal('InvalidInput', ['input', 'licenseId'], message);
}

async function keyFor(tx: SqlTx, license: License, supplied: string | null | undefined): Promise<string> {
  if (supplied != null) await holdPrefixes(tx);
  const maker = await keyMakerFor(tx, license);
  if (supplied == null) return maker.make();
  refuseReservedPrefix(maker, ['input', 'key'], supplied);
  return supplied.trim();
}

async function queueMail(tx: SqlTx, { businessId, mode, customerId }: License, licenseKeyId: string): Promise<void> {
  const [customer] = await tx.sql<Pick<Customer, 'email'>>(
    'address_of_customer',
    'SELECT email FROM customers WHERE business_id = $1 AND mode = $2 AND id = $3',
    [businessId, mode, customerId],
  );
  const recipient = customer?.email ?? null;
  queueDelivery(tx, { customerId, recipient, licenseKeyId, grantId: null, template: 'license-key' });
}
