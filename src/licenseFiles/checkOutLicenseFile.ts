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
import { deviceSubject, textSubjectSql } from './subjects.js';
import { usableKey, type UsableKey } from './usableKey.js';
import { useSigningKey } from './useSigningKey.js';

/**
 * Checks out a license file for a key that is valid on a device. What the file allows is noted before it is signed, so that the
 * revocation list knows whom it concerns; only check-outs for the same device, or of devices without an activation for the same
 * key, wait for each other.
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
      const file = { ...usable, fingerprint: input.fingerprint };
      const subjectIds = await hold(tx, tenant, file, terms);
      const key = await useSigningKey(tx, tenant, readableUntil(terms.graceUntil));
      const claims = await claimsOf(tx, tenant, { ...file, subjectIds }, terms);
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

const note = `INSERT INTO license_file_holds AS h (business_id, mode, license_key_id, subject_id, offline_until)
  SELECT $1, $2, $3, s.id, $5 FROM (SELECT $4::uuid AS id
    UNION ALL SELECT ${textSubjectSql('$3::uuid', '(SELECT count(*) FROM license_key_rotations WHERE business_id = $1 AND mode = $2 AND license_key_id = $3)')}
      WHERE $6::boolean) s
  ON CONFLICT (business_id, mode, license_key_id, subject_id)
    DO UPDATE SET offline_until = greatest(h.offline_until, excluded.offline_until)
  RETURNING h.subject_id AS "subjectId", EXISTS (SELECT FROM license_revocations r WHERE r.business_id = $1 AND r.mode = $2
    AND r.subject_id IN (h.license_key_id, h.subject_id) AND r.is_revoked) AS "isListed"`;

/**
 * Notes until when the device may run. Activations follow when a key's text is replaced; who runs without one runs by the text.
 * What is listed as revoked and is not any more leaves the list first.
 * @returns whom the file concerns
 */
async function hold(
  tx: SqlTx,
  tenant: DeviceTenant,
  { found, told, fingerprint }: UsableKey & { fingerprint: string },
  { graceUntil }: FileTerms,
): Promise<string[]> {
  const { businessId, mode } = tenant;
  const { id } = found.key;
  const subjectId = told.activation?.id ?? deviceSubject(id, fingerprint);
  // A replaced text's file ends with its grace.
  const isByText = told.activation === null && found.replacedUntil === null;
  const values = [businessId, mode, id, subjectId, graceUntil, isByText];
  const held = await tx.sql<{ subjectId: string; isListed: boolean }>('hold_license_file', note, values);
  if (held.some(({ isListed }) => isListed)) await renewList(tx, tenant);
  return [id, ...held.map((one) => one.subjectId)];
}
