import { recordChange } from '../events/recordChange.js';
import type { GenerateDiscountCodesInput } from '../generated/graphql.js';
import type { Discount } from '../generated/prisma/client.js';
import { newId } from '../kernel/id.js';
import { refuseIfAny, type UserErrorData } from '../kernel/refusal.js';
import { tenantOf, type RequestContext } from '../kernel/requestContext.js';
import { columnsOf } from '../kernel/rows.js';
import { checkRange } from '../kernel/text.js';
import { inSqlTransaction, type SqlTx } from '../kernel/transaction.js';
import { generatedCode } from './code.js';
import { lockDiscount, refuseIfArchived } from './lockDiscount.js';

const MAX_CODES = 10_000;

/**
 * Generates many codes for one discount, in one statement for all of them. Purchases with the discount go on meanwhile.
 * @returns the batch that the codes are of: what a retry reads them by
 * @throws Refusal InvalidInput, DiscountNotFound, ModeMismatch, DiscountArchived
 */
export async function generateDiscountCodes(
  ctx: RequestContext,
  input: GenerateDiscountCodesInput,
): Promise<{ discountId: string; batchId: string }> {
  const problems: UserErrorData[] = [];
  checkRange(problems, ['input', 'count'], input.count, 1, MAX_CODES);
  checkRange(problems, ['input', 'usageLimit'], input.usageLimit, 1, 2_147_483_647);
  refuseIfAny(problems);
  return inSqlTransaction(ctx, async (tx) => {
    const discount = await lockDiscount(tx, input.discountId, 'USE');
    refuseIfArchived(discount);
    const batch = { id: newId(), usageLimit: input.usageLimit ?? null };
    for (let left = input.count; left > 0;) left -= await addCodes(tx, discount, batch, left);
    await recordBatch(tx, discount, { batchId: batch.id, count: input.count, codeUsageLimit: batch.usageLimit });
    return { discountId: discount.id, batchId: batch.id };
  });
}

/** @returns how many were added: the few that are taken already are drawn again */
async function addCodes(
  tx: SqlTx,
  discount: Discount,
  { id: batchId, usageLimit }: { id: string; usageLimit: number | null },
  count: number,
): Promise<number> {
  const { businessId, mode } = tenantOf(tx.ctx);
  const ids = Array.from({ length: count }, newId);
  const codes = ids.map(generatedCode);
  const added = await tx.sql(
    'add_discount_codes',
    `INSERT INTO discount_codes (business_id, mode, id, discount_id, batch_id, code, code_key, usage_limit, created_at)
     SELECT $1, $2, n.id, $3, $4, n.code, n.code, $5, $6 FROM unnest($7::uuid[], $8::text[]) AS n (id, code)
     ON CONFLICT (business_id, mode, code_key) DO NOTHING RETURNING id`,
    [businessId, mode, discount.id, batchId, usageLimit, tx.ctx.now, ids, codes],
  );
  return added.length;
}

/** One change for all of them; the row that many want is written last. */
async function recordBatch(tx: SqlTx, { id }: Discount, batch: object): Promise<void> {
  const { businessId, mode } = tenantOf(tx.ctx);
  const [discount] = await tx.sql<Discount>(
    'count_change_of_discount',
    `UPDATE discounts SET version = version + 1, updated_at = $4 WHERE business_id = $1 AND mode = $2 AND id = $3
     RETURNING ${columnsOf('Discount')}`,
    [businessId, mode, id, tx.ctx.now],
  );
  if (!discount) throw new Error(`discount ${id} is held, and yet is gone`);
  const about = { objectType: 'Discount', objectId: id, sequence: discount.version } as const;
  recordChange(tx, { type: 'discount.codes_generated', ...about, after: batch, snapshot: { ...discount, ...batch } });
}
