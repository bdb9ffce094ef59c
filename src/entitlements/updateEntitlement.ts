import { recordUpdate } from '../events/recordUpdate.js';
import type { UpdateEntitlementInput } from '../generated/graphql.js';
import type { Entitlement } from '../generated/prisma/client.js';
import { refuseIfAny, type UserErrorData } from '../kernel/refusal.js';
import type { RequestContext } from '../kernel/requestContext.js';
import { checkLength, checkMetadata, checkNotNull, mergedMetadataWithin, presentText } from '../kernel/text.js';
import { inSqlTransaction } from '../kernel/transaction.js';
import { refuseIfStale } from '../kernel/version.js';
import { holdKeyPool } from './holdKeyPool.js';
import { licenseKeyColumns, licenseKeyProblems } from './entitlement.js';
import { lockEntitlement } from './lockEntitlement.js';

/**
 * Changes an entitlement: absent leaves, null clears, metadata merges, its configuration is replaced as a whole. Grants that
 * were issued keep their fulfillment mode.
 * @throws Refusal InvalidInput, InvalidActivationsLimit, EntitlementNotFound, StaleObject,
 *   LicenseKeyPoolNotFound, LicenseKeyPoolArchived
 */
export async function updateEntitlement(
  ctx: RequestContext,
  input: UpdateEntitlementInput,
): Promise<{ entitlementId: string }> {
  refuseIfAny(problemsOf(input));
  return inSqlTransaction(ctx, async (tx) => {
    const current = await lockEntitlement(tx, input.entitlementId);
    refuseIfStale(current, input.expectedVersion);
    const change: Partial<Entitlement> = {
      ...(input.configuration ? licenseKeyColumns(input.configuration.licenseKey) : {}),
      metadata: mergedMetadataWithin(current.metadata, input.metadata),
    };
    if (input.name != null) change.name = input.name.trim();
    if (input.description !== undefined) change.description = presentText(input.description);
    // Its own source stays, archived or not.
    const { licenseKeyPoolId: poolId = null } = change;
    if (poolId !== current.licenseKeyPoolId) await holdKeyPool(tx, poolId);
    await recordUpdate(tx, 'entitlement.updated', { model: 'Entitlement', current, change });
    return { entitlementId: current.id };
  });
}

function problemsOf(input: UpdateEntitlementInput): UserErrorData[] {
  const problems: UserErrorData[] = [];
  checkNotNull(problems, input, 'name', 'configuration');
  checkLength(problems, ['input', 'name'], input.name?.trim(), 1, 255);
  checkLength(problems, ['input', 'description'], presentText(input.description), 1, 2000);
  if (input.configuration) {
    problems.push(...licenseKeyProblems(['input', 'configuration', 'licenseKey'], input.configuration.licenseKey));
  }
  checkMetadata(problems, ['input', 'metadata'], input.metadata);
  return problems;
}
