import type { DetachSlaDefinitionInput } from '../generated/graphql.js';
import type { RequestContext } from '../kernel/requestContext.js';
import { inSqlTransaction } from '../kernel/transaction.js';
import { changeProductKey } from '../productKeys/changeProductKey.js';
import { lockProductKey, refuseEnded } from '../productKeys/lockProductKey.js';
import { lockSlaDefinition } from '../slaDefinitions/lockSlaDefinition.js';
import { endAttachment, lastAttachment } from './attachments.js';

/**
 * Detaches an SLA definition, an archived one too, from a product key from now on; what began before is still judged by the version
 * that held then. Detaching what is not attached changes nothing.
 * @throws Refusal ProductKeyNotFound, ModeMismatch, BrandMismatch, StaleObject, ProductKeyEnded, SlaDefinitionNotFound
 */
export async function detachSlaDefinition(
  ctx: RequestContext,
  input: DetachSlaDefinitionInput,
): Promise<{ productKeyId: string; customerId: string }> {
  return inSqlTransaction(ctx, async (tx) => {
    const key = await lockProductKey(tx, input);
    refuseEnded(key);
    const definition = await lockSlaDefinition(tx, input.slaDefinitionId, 'USE');
    const last = await lastAttachment(tx, key, definition.id);
    if (last?.detachedAt === null) {
      await endAttachment(tx, last);
      const aside = {
        before: { slaDefinitionId: definition.id, slaDefinitionVersionId: last.slaDefinitionVersionId },
        after: { slaDefinitionId: definition.id, slaDefinitionVersionId: null },
      };
      await changeProductKey(tx, key, {}, { type: 'product_key.sla_detached', reason: null, aside });
    }
    return { productKeyId: key.id, customerId: key.customerId };
  });
}
