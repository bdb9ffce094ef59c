import { recordChange } from '../events/recordChange.js';
import type { CreateLicenseKeyPoolInput } from '../generated/graphql.js';
import { newId, uuidOf } from '../kernel/id.js';
import { refuseIfAny, type UserErrorData } from '../kernel/refusal.js';
import { tenantOf, type RequestContext } from '../kernel/requestContext.js';
import { checkLength, checkRange } from '../kernel/text.js';
import { inTransaction } from '../kernel/transaction.js';
import { poolConflicts } from './licenseKeyPool.js';

/**
 * Creates an empty pool. Nothing draws from it until it is an entitlement's key source.
 * @throws Refusal InvalidInput, ProductNotFound, NameTaken
 */
export async function createLicenseKeyPool(
  ctx: RequestContext,
  input: CreateLicenseKeyPoolInput,
): Promise<{ licenseKeyPoolId: string }> {
  refuseIfAny(problemsOf(input));
  return inTransaction(
    ctx,
    async (tx) => {
      const pool = await tx.prisma.licenseKeyPool.create({
        data: {
          businessId: tenantOf(ctx).businessId,
          id: newId(),
          name: input.name.trim(),
          productId: input.productId == null ? null : uuidOf('Product', input.productId),
          lowStockThreshold: input.lowStockThreshold ?? 0,
          createdAt: ctx.now,
          updatedAt: ctx.now,
        },
      });
      const about = { objectType: 'LicenseKeyPool', objectId: pool.id } as const;
      recordChange(tx, { type: 'license_key_pool.created', ...about, sequence: 1, snapshot: pool });
      return { licenseKeyPoolId: pool.id };
    },
    poolConflicts,
  );
}

function problemsOf({ name, lowStockThreshold }: CreateLicenseKeyPoolInput): UserErrorData[] {
  const problems: UserErrorData[] = [];
  checkLength(problems, ['input', 'name'], name.trim(), 1, 255);
  checkRange(problems, ['input', 'lowStockThreshold'], lowStockThreshold, 0, 100_000);
  return problems;
}
