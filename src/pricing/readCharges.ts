import type { PricingRuleVersion, ProductKeyDiscount } from '../generated/prisma/client.js';
import { tenantOf } from '../kernel/requestContext.js';
import { columnsOf } from '../kernel/rows.js';
import type { SqlReader } from '../kernel/transaction.js';
import { versionColumns } from './versionColumns.js';

/** Since when and until when something is attached to a product key; null: it still is. */
export interface Attachment {
  readonly productKeyId: string;
  readonly attachedAt: Date;
  readonly detachedAt: Date | null;
}

/** A version of a pricing rule, and that it is attached. */
export type AttachedRule = PricingRuleVersion & Attachment & { readonly attachmentId: string };

/** What charges a product key, in the order in which it was attached. */
export interface KeyCharges {
  readonly rules: readonly AttachedRule[];
  readonly discounts: readonly ProductKeyDiscount[];
}

/** What is read of a rule that is attached, `a`, at its version, `v`. */
export const attachedRule = `${versionColumns}, a.id AS "attachmentId", a.product_key_id AS "productKeyId",
  a.attached_at AS "attachedAt", a.detached_at AS "detachedAt"`;

export const versionOf = `v.business_id = a.business_id AND v.mode = a.mode AND v.pricing_rule_id = a.pricing_rule_id
  AND v.version = a.pricing_rule_version`;

const isOfKeys = `a.business_id = $1 AND a.mode = $2 AND a.product_key_id = ANY($3::uuid[])
  AND (a.detached_at IS NULL OR a.detached_at >= $4::timestamptz) ORDER BY a.attached_at, a.id`;

const rulesText = `SELECT ${attachedRule} FROM product_key_pricing_rules a JOIN pricing_rule_versions v ON ${versionOf} WHERE ${isOfKeys}`;
const discountsText = `SELECT ${columnsOf('ProductKeyDiscount', 'a')} FROM product_key_discounts a WHERE ${isOfKeys}`;

/**
 * A step, two statements for all keys: what is attached to product keys, and what was since an instant.
 * @param since null: only what is attached now
 */
export async function readCharges(
  { ctx, sql }: SqlReader,
  productKeyIds: readonly string[],
  since: Date | null,
): Promise<Map<string, KeyCharges>> {
  const { businessId, mode } = tenantOf(ctx);
  const values = [businessId, mode, productKeyIds, since ?? 'infinity'];
  const [rules, discounts] = [
    await sql<AttachedRule>('attached_rules', rulesText, values),
    await sql<ProductKeyDiscount>('attached_discounts', discountsText, values),
  ];
  const [rulesOf, discountsOf] = [byKey(rules), byKey(discounts)];
  return new Map(
    productKeyIds.map((id) => [id, { rules: rulesOf.get(id) ?? [], discounts: discountsOf.get(id) ?? [] }]),
  );
}

function byKey<Row extends Attachment>(rows: readonly Row[]): Map<string, Row[]> {
  const found = new Map<string, Row[]>();
  for (const row of rows) found.set(row.productKeyId, [...(found.get(row.productKeyId) ?? []), row]);
  return found;
}

/** What of it was attached just before an instant, when a period ended. */
export function chargesBefore({ rules, discounts }: KeyCharges, end: Date): KeyCharges {
  const wasAttached = ({ attachedAt, detachedAt }: Attachment) =>
    attachedAt < end && (detachedAt === null || detachedAt >= end);
  return { rules: rules.filter(wasAttached), discounts: discounts.filter(wasAttached) };
}
