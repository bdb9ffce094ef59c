import type { Tenant } from '../kernel/requestContext.js';
import type { SqlReader } from '../kernel/transaction.js';
import { attachedRule, versionOf, type AttachedRule } from '../pricing/readCharges.js';

const SHOWN = 100;

const statement = `SELECT a.* FROM unnest($3::uuid[]) AS asked (id)
  CROSS JOIN LATERAL (SELECT ${attachedRule} FROM product_key_pricing_rules a JOIN pricing_rule_versions v ON ${versionOf}
    WHERE a.business_id = $1 AND a.mode = $2 AND a.product_key_id = asked.id
    ORDER BY a.attached_at DESC, a.id DESC LIMIT ${SHOWN}) a`;

/** The last pricing rules that were attached to product keys, the newest first: one statement for all keys. */
export async function ruleHistory(
  { sql }: SqlReader,
  { businessId, mode }: Tenant,
  productKeyIds: readonly string[],
): Promise<AttachedRule[][]> {
  const rows = await sql<AttachedRule>('rule_history', statement, [businessId, mode, productKeyIds]);
  const found = new Map<string, AttachedRule[]>(productKeyIds.map((id) => [id, []]));
  for (const row of rows) found.get(row.productKeyId)?.push(row);
  return productKeyIds.map((id) => found.get(id) ?? []);
}
