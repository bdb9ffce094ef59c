import { checkFingerprint } from '../activations/activation.js';
import { deviceTenant, tryingKey, type DeviceTenant } from '../activations/keyForDevice.js';
import type { CheckOutLicenseFileInput } from '../generated/graphql.js';
import { refuseIfAny, type UserErrorData } from '../kernel/refusal.js';
import type { RequestContext } from '../kernel/requestContext.js';
import { checkRange } from '../kernel/text.js';
import { inSqlTransaction, type SqlTx } from '../kernel/transaction.js';
import { claimsOf, type FileTerms } from './claimsOf.js';
import { endOfRight, fileTerms, fileType, readableUntil, ttlBounds } from './licenseFile.js';
import { renewList } from './revocations.js';
import { sign } from './signingKey.js';
import { usableKey, type UsableKey } from './usableKey.js';
import { useSigningKey } from './useSigningKey.js';

/**
 * Checks out a license file for a key that is valid on a device. What the file allows is noted before it is signed, so that the
 * revocation list knows whom it concerns; only check-outs for the
 * same device wait for each other.
 * @throws Refusal InvalidInput, ModeMismatch, LicenseKeyNotValid; ClientError BRAND_NOT_FOUND, RATE_LIMITED
 */
export async function checkOutLicenseFile(
  ctx: RequestContext,
  input: CheckOutLicenseFileInput,
): Promise<{ file: string }> {
  refuseIfAny(problemsOf(ctx, input));
  const tenant = await deviceTenant(ctx, input);
  return tryingKey(ctx, (known) =>
    inSqlTransaction(ctx, async (tx) => {
      const usable = await usableKey(tx, tenant, input, known);
      const { told, keyEnds, license } = usable;
      const rightEnds = endOfRight(keyEnds, license, told.activation);
      const terms = { issuedAt: ctx.now, ...fileTerms(ctx.now, input.ttl ?? ttlBounds.usual, rightEnds) };
      await hold(tx, tenant, usable, terms);
      const key = await useSigningKey(tx, tenant, readableUntil(terms.graceUntil));
      const claims = await claimsOf(tx, tenant, { ...usable, fingerprint: input.fingerprint }, terms);
      return { file: await sign(ctx.keyring.encryption, tenant, key, { typ: fileType, claims }) };
    }),
  );
}

function problemsOf({ viewer }: RequestContext, { fingerprint, ttl }: CheckOutLicenseFileInput): UserErrorData[] {
  const problems: UserErrorData[] = [];
  checkFingerprint(problems, fingerprint);
  const { least, most, mostWithApiKey } = ttlBounds;
  checkRange(problems, ['input', 'ttl'], ttl, least, viewer.principal === 'API_KEY' ? mostWithApiKey : most);
  return problems;
}

/** Notes until when the device may run. A key or device that is listed as revoked and is not any more leaves the list first. */
async function hold(
  tx: SqlTx,
  tenant: DeviceTenant,
  { found, told }: UsableKey,
  { graceUntil }: FileTerms,
): Promise<void> {
  const { businessId, mode } = tenant;
  const licenseKeyId = found.key.id;
  const subjectId = told.activation?.id ?? licenseKeyId;
  const [held] = await tx.sql<{ isListed: boolean }>(
    'hold_license_file',
    `INSERT INTO license_file_holds AS h (business_id, mode, license_key_id, subject_id, offline_until)
      VALUES ($1, $2, $3, $4, $5)
      ON CONFLICT (business_id, mode, license_key_id, subject_id)
        DO UPDATE SET offline_until = greatest(h.offline_until, excluded.offline_until)
      RETURNING EXISTS (SELECT FROM license_revocations r
        WHERE r.business_id = $1 AND r.mode = $2 AND r.subject_id IN ($3, $4) AND r.is_revoked) AS "isListed"`,
    [businessId, mode, licenseKeyId, subjectId, graceUntil],
  );
  if (held?.isListed) await renewList(tx, tenant);
}
