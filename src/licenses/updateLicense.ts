import type { UpdateLicenseInput } from '../generated/graphql.js';
import type { License } from '../generated/prisma/client.js';
import { refuseIfAny, type UserErrorData } from '../kernel/refusal.js';
import type { RequestContext } from '../kernel/requestContext.js';
import { checkTags, tagsOf } from '../kernel/tags.js';
import { checkLength, checkMetadata, mergedMetadata, mergedMetadataWithin, presentText } from '../kernel/text.js';
import { inSqlTransaction } from '../kernel/transaction.js';
import { lockLicenseToNote } from './lockLicenseToNote.js';
import { recordLicenseUpdate } from './recordLicenseUpdate.js';

/**
 * Changes what a vendor notes about a license: absent leaves, null clears; metadata merges, details are given as a whole. A
 * cancelled license can still be noted about.
 * @throws Refusal InvalidInput, LicenseNotFound, ModeMismatch, BrandMismatch, StaleObject, CustomerErased
 */
export async function updateLicense(ctx: RequestContext, input: UpdateLicenseInput): Promise<{ licenseId: string }> {
  const problems: UserErrorData[] = [];
  checkLength(problems, ['input', 'description'], presentText(input.description), 1, 2000);
  checkTags(problems, tagsOf(input.tags));
  checkMetadata(problems, ['input', 'details'], input.details);
  checkMetadata(problems, ['input', 'metadata'], input.metadata);
  refuseIfAny(problems);
  return inSqlTransaction(ctx, async (tx) => {
    const license = await lockLicenseToNote(tx, input);
    await recordLicenseUpdate(tx, 'license.updated', license, notesOf(license, input), null);
    return { licenseId: license.id };
  });
}

function notesOf({ metadata }: License, input: UpdateLicenseInput): Partial<License> {
  return {
    ...(input.description === undefined ? {} : { description: presentText(input.description) }),
    ...(input.tags === undefined ? {} : { tags: tagsOf(input.tags) }),
    ...(input.details === undefined ? {} : { details: input.details && mergedMetadata({}, input.details) }),
    metadata: mergedMetadataWithin(metadata, input.metadata),
  };
}
