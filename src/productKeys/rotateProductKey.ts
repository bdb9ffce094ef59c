import type { RotateProductKeyInput } from '../generated/graphql.js';
import type { ProductKey } from '../generated/prisma/client.js';
import { newId } from '../kernel/id.js';
import { refuseIfAny, type UserErrorData } from '../kernel/refusal.js';
import type { RequestContext } from '../kernel/requestContext.js';
import { presentText } from '../kernel/text.js';
import { inSqlTransaction, type SqlTx } from '../kernel/transaction.js';
import { checkRotation } from '../licenseKeys/licenseKey.js';
import { refuseWordsAboutErased } from '../licenseKeys/refuseWords.js';
import { changeProductKey } from './changeProductKey.js';
import { generatedText } from './generatedText.js';
import { lockProductKey, refuseEnded } from './lockProductKey.js';
import { checkGuid } from './productKeyFields.js';
import { productKeyTaken, sealProductKey, textRows } from './productKeyText.js';

/**
 * Gives a product key a new text, supplied as a GUID or generated. It stays the same object, with its quota and payments. The
 * text so far works until `graceUntil`, or stops at once; no key gets it again.
 * @throws Refusal InvalidInput, InvalidExpiry, ProductKeyNotFound, ModeMismatch, BrandMismatch, StaleObject, CustomerErased, ProductKeyEnded,
 *   ProductKeyTaken
 */
export async function rotateProductKey(
  ctx: RequestContext,
  input: RotateProductKeyInput,
): Promise<{ productKeyId: string; customerId: string }> {
  return inSqlTransaction(
    ctx,
    async (tx) => {
      // Asked behind the claim of the idempotency key: a retry that comes after the grace is answered, not refused.
      refuseIfAny(problemsOf(ctx, input));
      const key = await lockProductKey(tx, input);
      refuseEnded(key);
      const reason = presentText(input.reason);
      await refuseWordsAboutErased(tx, key, { reason });
      const text = presentText(input.key) ?? (await generatedText(tx, key));
      const graceUntil = await supersede(tx, key, input.graceUntil ?? ctx.now);
      const aside = { before: { graceUntil: null }, after: { graceUntil } };
      const fact = { type: 'product_key.rotated', reason, aside } as const;
      await changeProductKey(tx, key, sealProductKey(tx, text, key.id), fact);
      tx.insert('product_key_lookups', ...(textRows(ctx.keyring, key, text, key.id) as never[]));
      return { productKeyId: key.id, customerId: key.customerId };
    },
    productKeyTaken,
  );
}

function problemsOf({ now }: RequestContext, input: RotateProductKeyInput): UserErrorData[] {
  const problems: UserErrorData[] = [];
  checkGuid(problems, input.key);
  checkRotation(problems, input, now);
  return problems;
}

/** The text so far, with its look-up values, becomes a superseded one. @returns until when it works */
async function supersede(tx: SqlTx, key: ProductKey, graceUntil: Date): Promise<Date> {
  const { businessId, mode, id: productKeyId, keyCiphertext, last4 } = key;
  const id = newId();
  const row = { businessId, mode, id, productKeyId, keyCiphertext, last4, graceUntil, createdAt: tx.ctx.now };
  tx.insert('product_key_rotations', row);
  await tx.sql(
    'supersede_product_key_text',
    `UPDATE product_key_lookups SET rotation_id = $4
      WHERE business_id = $1 AND mode = $2 AND product_key_id = $3 AND rotation_id IS NULL`,
    [businessId, mode, productKeyId, id],
  );
  return graceUntil;
}
