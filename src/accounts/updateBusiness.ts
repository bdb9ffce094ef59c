import { recordUpdate } from '../events/recordUpdate.js';
import type { UpdateBusinessInput } from '../generated/graphql.js';
import type { Business } from '../generated/prisma/client.js';
import { globalId } from '../kernel/id.js';
import { lockShared } from '../kernel/lockShared.js';
import { refuseIfAny, type UserErrorData } from '../kernel/refusal.js';
import { tenantOf, type RequestContext } from '../kernel/requestContext.js';
import { checkLength, checkMetadata, checkNotNull, mergedMetadataWithin } from '../kernel/text.js';
import { inSqlTransaction } from '../kernel/transaction.js';
import { refuseIfStale } from '../kernel/version.js';
import { checkDefaults, defaultColumns } from './defaults.js';

/**
 * Changes the caller's business: absent leaves, null clears, metadata merges.
 * @throws Refusal InvalidInput, InvalidCurrency, StaleObject
 */
export async function updateBusiness(ctx: RequestContext, input: UpdateBusinessInput): Promise<{ businessId: string }> {
  const problems: UserErrorData[] = [];
  checkNotNull(problems, input, 'name', 'managedBilling');
  checkLength(problems, ['input', 'name'], input.name?.trim(), 1, 255);
  checkMetadata(problems, ['input', 'metadata'], input.metadata);
  checkDefaults(problems, input);
  refuseIfAny(problems);
  return inSqlTransaction(ctx, async (tx) => {
    const current = await lockShared(tx, 'Business', globalId('Business', tenantOf(ctx).businessId));
    if (!current) throw new Error("the caller's business is gone");
    refuseIfStale(current, input.expectedVersion);
    const change: Partial<Business> = {
      ...defaultColumns(input),
      metadata: mergedMetadataWithin(current.metadata, input.metadata),
    };
    if (input.name != null) change.name = input.name.trim();
    if (input.managedBilling != null) change.managedBilling = input.managedBilling;
    await recordUpdate(tx, 'business.updated', { model: 'Business', current, change });
    return { businessId: current.id };
  });
}
