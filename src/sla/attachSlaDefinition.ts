import type { AttachSlaDefinitionInput } from '../generated/graphql.js';
import type { ProductKey, SlaDefinition } from '../generated/prisma/client.js';
import { newId } from '../kernel/id.js';
import { refusal } from '../kernel/refusal.js';
import { tenantOf, type RequestContext } from '../kernel/requestContext.js';
import { inSqlTransaction, type SqlTx } from '../kernel/transaction.js';
import { changeProductKey } from '../productKeys/changeProductKey.js';
import { lockProductKey, refuseEnded } from '../productKeys/lockProductKey.js';
import { lockSlaDefinition, refuseIfArchived } from '../slaDefinitions/lockSlaDefinition.js';
import { MAX_ATTACHED } from '../slaDefinitions/terms.js';
import { countAttached, endAttachment, lastAttachment } from './attachments.js';

/**
 * Attaches an SLA definition to a product key at its present version, or moves the key to that from an earlier one: the earlier
 * one holds until that instant, and judges what began before. Where the key has the present version, nothing changes, also when
 * the definition is archived.
 * @throws Refusal ProductKeyNotFound, ModeMismatch, BrandMismatch, StaleObject, ProductKeyEnded, SlaDefinitionNotFound,
 *   SlaDefinitionArchived, InvalidInput where the key has as many as it can have
 */
export async function attachSlaDefinition(
  ctx: RequestContext,
  input: AttachSlaDefinitionInput,
): Promise<{ productKeyId: string; customerId: string }> {
  return inSqlTransaction(ctx, async (tx) => {
    const key = await lockProductKey(tx, input);
    const refs = { productKeyId: key.id, customerId: key.customerId };
    refuseEnded(key);
    const definition = await lockSlaDefinition(tx, input.slaDefinitionId, 'USE');
    const last = await lastAttachment(tx, key, definition.id);
    const present = last?.detachedAt === null ? last : null;
    if (present?.slaDefinitionVersionId === definition.currentVersionId) return refs;
    refuseIfArchived(definition);
    if (!present) await refuseTooMany(tx, key);
    const from = present ? await endAttachment(tx, present) : later(ctx.now, last?.detachedAt);
    attach(tx, key, definition, from);
    const { id: slaDefinitionId, currentVersionId } = definition;
    const aside = {
      before: { slaDefinitionId, slaDefinitionVersionId: present?.slaDefinitionVersionId ?? null },
      after: { slaDefinitionId, slaDefinitionVersionId: currentVersionId },
    };
    await changeProductKey(tx, key, {}, { type: 'product_key.sla_attached', reason: null, aside });
    return refs;
  });
}

/** Requests at once have clocks of their own: what was detached a moment later on another's begins when that ended. */
function later(now: Date, detachedAt: Date | null | undefined): Date {
  return detachedAt && detachedAt > now ? detachedAt : now;
}

function attach(
  tx: SqlTx,
  key: ProductKey,
  { id: slaDefinitionId, currentVersionId }: SlaDefinition,
  from: Date,
): void {
  tx.insert('product_key_slas', {
    ...tenantOf(tx.ctx),
    id: newId(),
    productKeyId: key.id,
    slaDefinitionId,
    slaDefinitionVersionId: currentVersionId,
    attachedAt: from,
    detachedAt: null,
  });
}

async function refuseTooMany(tx: SqlTx, key: ProductKey): Promise<void> {
  if ((await countAttached(tx, key)) < MAX_ATTACHED) return;
  const message = `The product key has ${MAX_ATTACHED} SLA definitions. Detach one first.`;
  throw refusal('InvalidInput', ['input', 'slaDefinitionId'], message);
}
