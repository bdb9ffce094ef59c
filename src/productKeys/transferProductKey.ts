import type { TransferProductKeyInput } from '../generated/graphql.js';
import { refuseOtherBrands } from '../kernel/brand.js';
import type { RequestContext } from '../kernel/requestContext.js';
import { inSqlTransaction } from '../kernel/transaction.js';
import { checkedReason } from '../licenseKeys/licenseKey.js';
import { refuseWordsAboutErased } from '../licenseKeys/refuseWords.js';
import { changeProductKey } from './changeProductKey.js';
import { findNewOwner, holdCustomer } from './findOwner.js';
import { lockMeters } from './lockMeters.js';
import { lockProductKey, refuseEnded } from './lockProductKey.js';

/**
 * Gives a product key to another customer of its brand, with everything of it. What it gives back when it is cancelled, or when a
 * payment comes in for a time of a breach, goes to who owns it then; the statement of a period is of who owned it at its end. The former owner's sessions do not see it any more; what the history says of the time before is erased with that
 * person too (`eraseFormerOwnership`). To its owner again: nothing changes.
 * @throws Refusal InvalidInput, ProductKeyNotFound, CustomerNotFound, ModeMismatch, BrandMismatch, StaleObject, ProductKeyEnded,
 *   CustomerErased
 */
export async function transferProductKey(
  ctx: RequestContext,
  input: TransferProductKeyInput,
): Promise<{ productKeyId: string; customerId: string }> {
  const reason = checkedReason(input.reason);
  return inSqlTransaction(ctx, async (tx) => {
    const key = await lockProductKey(tx, input);
    await refuseWordsAboutErased(tx, key, { reason });
    refuseEnded(key);
    // The key is locked first, then the customer: as an erasure does, which waits or is waited for.
    const former = await holdCustomer(tx, key.customerId);
    if (!former) throw new Error("a product key's owner is gone");
    const owner = await findNewOwner(tx, input.owner);
    const path = (field: string) => ['input', field];
    refuseOtherBrands(
      ctx,
      { brandId: former.brandId, path: path('productKeyId') },
      { brandId: owner.brandId, path: path('owner') },
    );
    // Periods that are over by now are the former owner's to pay.
    if (owner.id !== former.id) await lockMeters(tx, [key]);
    await changeProductKey(tx, key, { customerId: owner.id }, { type: 'product_key.transferred', reason });
    return { productKeyId: key.id, customerId: owner.id };
  });
}
