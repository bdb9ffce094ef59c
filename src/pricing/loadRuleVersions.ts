import DataLoader from 'dataloader';
import type { PricingRuleVersion } from '../generated/prisma/client.js';
import { tenantOf, type RequestContext } from '../kernel/requestContext.js';
import { versionColumns } from './versionColumns.js';

const SHOWN = 100;

const statement = `SELECT v.* FROM unnest($3::uuid[]) AS asked (id)
  CROSS JOIN LATERAL (SELECT ${versionColumns} FROM pricing_rule_versions v
    WHERE v.business_id = $1 AND v.mode = $2 AND v.pricing_rule_id = asked.id ORDER BY v.version DESC LIMIT ${SHOWN}) v`;

/** The last versions of pricing rules, the newest first: one statement for all rules. */
export function versionsByRule(ctx: RequestContext): DataLoader<string, PricingRuleVersion[]> {
  return new DataLoader(async (ids) => {
    const { businessId, mode } = tenantOf(ctx);
    const rows = await ctx.db.sql<PricingRuleVersion>('versions_by_rule', statement, [businessId, mode, ids]);
    const found = new Map<string, PricingRuleVersion[]>(ids.map((id) => [id, []]));
    for (const row of rows) found.get(row.pricingRuleId)?.push(row);
    return ids.map((id) => found.get(id) ?? []);
  });
}
