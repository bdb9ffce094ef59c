import type { Discount } from '../generated/prisma/client.js';
import { tenantOf } from '../kernel/requestContext.js';
import { columnsOf } from '../kernel/rows.js';
import type { SqlReader } from '../kernel/transaction.js';
import type { AskedDiscount } from './applyDiscounts.js';
import { codeKeyOf, type GivenCode } from './code.js';

interface CodeRow extends Discount {
  codeId: string;
  codeKey: string;
  codeUsageLimit: number | null;
  codeUsedCount: number;
  customerUses: number;
}

const text = `SELECT ${columnsOf('Discount', 'd')}, c.id AS "codeId", c.code_key AS "codeKey",
    c.usage_limit AS "codeUsageLimit", c.used_count AS "codeUsedCount", coalesce(u.used_count, 0) AS "customerUses"
  FROM discount_codes c
  JOIN discounts d ON d.business_id = c.business_id AND d.mode = c.mode AND d.id = c.discount_id
  LEFT JOIN discount_customer_uses u ON u.business_id = d.business_id AND u.mode = d.mode AND u.discount_id = d.id
    AND u.customer_id = $4
  WHERE c.business_id = $1 AND c.mode = $2 AND c.code_key = ANY($3)`;

/**
 * A step, one statement: the discounts of codes, with what a customer has used of them. No codes, no statement. Unknown codes cost
 * the caller's allowance, so that nobody finds codes by trying.
 * @param hold against being changed or archived until the transaction ends, so that what is redeemed is what was read. Counting
 *   goes on meanwhile: whoever redeems counts under a lock of its own
 * @throws ClientError RATE_LIMITED
 */
export async function findDiscounts(
  reader: SqlReader,
  given: readonly GivenCode[],
  customerId: string,
  hold: 'HOLD' | 'READ',
): Promise<AskedDiscount[]> {
  if (given.length === 0) return [];
  const { guesses } = reader.ctx;
  const { businessId, mode } = tenantOf(reader.ctx);
  guesses?.take(given.length);
  const keys = given.map(({ code }) => codeKeyOf(code));
  const statement = hold === 'HOLD' ? `${text} ORDER BY d.id FOR KEY SHARE OF d` : text;
  const rows = await reader.sql<CodeRow>(`find_discounts_${hold}`, statement, [businessId, mode, keys, customerId]);
  const found = new Map(
    rows.map(({ codeKey, codeId, codeUsageLimit, codeUsedCount, customerUses, ...discount }) => {
      return [codeKey, { discount, codeId, codeUsageLimit, codeUsedCount, customerUses }];
    }),
  );
  const asked = given.map((one, i) => ({ ...one, found: found.get(keys[i] as string) ?? null }));
  guesses?.giveBack(asked.filter((one) => one.found).length);
  return asked;
}
