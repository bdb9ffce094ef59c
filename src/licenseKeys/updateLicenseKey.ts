import type { UpdateLicenseKeyInput } from '../generated/graphql.js';
import { refuseIfAny, type UserErrorData } from '../kernel/refusal.js';
import type { RequestContext } from '../kernel/requestContext.js';
import { checkMetadata, mergedMetadataWithin } from '../kernel/text.js';
import { inSqlTransaction } from '../kernel/transaction.js';
import { changeLicenseKey, type LicenseKeyChange } from './changeLicenseKey.js';
import { checkKeyLimits } from './licenseKey.js';
import { lockLicenseKey } from './lockLicenseKey.js';
import { refuseWordsAboutErased } from './refuseWords.js';

/**
 * Changes a key's limits: absent leaves, null clears, metadata merges. A limit below what is in use takes nothing away.
 * @throws Refusal InvalidActivationsLimit, InvalidExpiry, InvalidInput, LicenseKeyNotFound, ModeMismatch, BrandMismatch,
 *   StaleObject, CustomerErased
 */
export async function updateLicenseKey(
  ctx: RequestContext,
  input: UpdateLicenseKeyInput,
): Promise<{ licenseKeyId: string }> {
  return inSqlTransaction(ctx, async (tx) => {
    // Asked behind the claim of the idempotency key: a retry that comes after the expiry is answered, not refused.
    refuseIfAny(problemsOf(ctx, input));
    const { licenseKey } = await lockLicenseKey(tx, input);
    await refuseWordsAboutErased(tx, licenseKey, { metadata: input.metadata });
    const change: LicenseKeyChange = { metadata: mergedMetadataWithin(licenseKey.metadata, input.metadata) };
    if (input.activationsLimit !== undefined) change.activationsLimit = input.activationsLimit;
    if (input.expiresAt !== undefined) change.expiresAt = input.expiresAt;
    await changeLicenseKey(tx, licenseKey, change, { type: 'license_key.updated', reason: null });
    return { licenseKeyId: licenseKey.id };
  });
}

function problemsOf({ now }: RequestContext, input: UpdateLicenseKeyInput): UserErrorData[] {
  const problems: UserErrorData[] = [];
  checkKeyLimits(problems, ['input'], input, now);
  checkMetadata(problems, ['input', 'metadata'], input.metadata);
  return problems;
}
