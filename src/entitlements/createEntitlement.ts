import { recordChange } from '../events/recordChange.js';
import type { CreateEntitlementInput } from '../generated/graphql.js';
import { newId } from '../kernel/id.js';
import { refuseIfAny, type UserErrorData } from '../kernel/refusal.js';
import { tenantOf, type RequestContext } from '../kernel/requestContext.js';
import { checkLength, checkMetadata, mergedMetadata, presentText } from '../kernel/text.js';
import { inTransaction } from '../kernel/transaction.js';
import { holdKeyPool } from './holdKeyPool.js';
import { licenseKeyColumns, licenseKeyProblems } from './entitlement.js';

/**
 * Creates an entitlement. Nothing grants it until it is attached or issued.
 * @throws Refusal InvalidInput, InvalidActivationsLimit, LicenseKeyPoolNotFound, LicenseKeyPoolArchived
 */
export async function createEntitlement(
  ctx: RequestContext,
  input: CreateEntitlementInput,
): Promise<{ entitlementId: string }> {
  refuseIfAny(problemsOf(input));
  const columns = licenseKeyColumns(input.configuration.licenseKey);
  return inTransaction(ctx, async (tx) => {
    await holdKeyPool(tx, columns.licenseKeyPoolId);
    const entitlement = await tx.prisma.entitlement.create({
      data: {
        businessId: tenantOf(ctx).businessId,
        id: newId(),
        name: input.name.trim(),
        description: presentText(input.description),
        ...columns,
        metadata: mergedMetadata({}, input.metadata),
        createdAt: ctx.now,
        updatedAt: ctx.now,
      },
    });
    recordChange(tx, {
      type: 'entitlement.created',
      objectType: 'Entitlement',
      objectId: entitlement.id,
      sequence: 1,
      snapshot: entitlement,
    });
    return { entitlementId: entitlement.id };
  });
}

function problemsOf(input: CreateEntitlementInput): UserErrorData[] {
  const problems: UserErrorData[] = [];
  checkLength(problems, ['input', 'name'], input.name.trim(), 1, 255);
  checkLength(problems, ['input', 'description'], presentText(input.description), 1, 2000);
  problems.push(...licenseKeyProblems(['input', 'configuration', 'licenseKey'], input.configuration.licenseKey));
  checkMetadata(problems, ['input', 'metadata'], input.metadata);
  return problems;
}
