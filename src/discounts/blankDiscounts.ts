import { recordChange } from '../events/recordChange.js';
import type { Discount } from '../generated/prisma/client.js';
import { tenantOf } from '../kernel/requestContext.js';
import { columnsOf } from '../kernel/rows.js';
import type { SqlTx } from '../kernel/transaction.js';
import { codeKeyOf, generatedCode } from './code.js';

const where = "business_id = $1 AND mode = $2 AND customer_ids <> '{}' AND customer_ids @> ARRAY[$3::uuid]";

/** All that the customer may use, so that of two erasures at once the second one sees what the first one leaves. Purchases that hold
 * one of them are not waited for: they may be waiting for the customer, who is locked. */
const hold = `SELECT id FROM discounts WHERE ${where} ORDER BY id FOR NO KEY UPDATE`;

/** Of those, the ones that nobody else may use but others whose person is gone as well. */
const theirs = `SELECT ${columnsOf('Discount', 'd')} FROM discounts d
  WHERE d.business_id = $1 AND d.mode = $2 AND d.id = ANY ($4::uuid[])
    AND NOT EXISTS (SELECT 1 FROM customers c WHERE c.business_id = $1 AND c.mode = $2 AND c.id = ANY (d.customer_ids)
      AND c.id <> $3 AND c.erased_at IS NULL)`;

const blank = `WITH codes AS (
    UPDATE discount_codes SET code = $4, code_key = $5
     WHERE business_id = $1 AND mode = $2 AND discount_id = $3 AND batch_id IS NULL)
  UPDATE discounts SET code = $4, name = NULL, description = NULL, metadata = '{}',
      archived_at = coalesce(archived_at, $6), version = version + 1, updated_at = $6
   WHERE business_id = $1 AND mode = $2 AND id = $3 RETURNING ${columnsOf('Discount')}`;

/**
 * A step: takes the texts out of discounts that are for a customer alone, whose row is locked: a code may well be made of a name.
 * They are archived, as nobody is left who may use them; what was redeemed stays. Discounts that others may use stay as they are:
 * they are not about one person.
 * @returns ids of those discounts
 */
export async function blankDiscountsOf(tx: SqlTx, customerId: string): Promise<string[]> {
  const { businessId, mode } = tenantOf(tx.ctx);
  const held = await tx.sql<{ id: string }>('hold_discounts_of_customer', hold, [businessId, mode, customerId]);
  if (held.length === 0) return [];
  const among = [businessId, mode, customerId, held.map(({ id }) => id)];
  const found = await tx.sql<Discount>('discounts_of_customer_alone', theirs, among);
  for (const { id, archivedAt } of found) {
    const code = generatedCode();
    const values = [businessId, mode, id, code, codeKeyOf(code), tx.ctx.now];
    const [discount] = (await tx.sql<Discount>('blank_discount', blank, values)) as [Discount];
    const about = { objectType: 'Discount', objectId: id, sequence: discount.version } as const;
    const changed = { before: { archivedAt }, after: { archivedAt: discount.archivedAt } };
    const type = archivedAt === null ? 'discount.archived' : 'discount.updated';
    recordChange(tx, { type, ...about, ...changed, snapshot: discount });
  }
  return found.map(({ id }) => id);
}
