import type { PricingRule } from '../generated/prisma/client.js';
import { uuidOf } from '../kernel/id.js';
import { missing } from '../kernel/missing.js';
import { userError, type UserErrorData } from '../kernel/refusal.js';
import { tenantOf } from '../kernel/requestContext.js';
import { columnsOf } from '../kernel/rows.js';
import type { SqlReader } from '../kernel/transaction.js';

type Path = readonly (string | number)[];

/** How many rules charge a product key at most. */
export const MAX_RULES = 50;

const text = `SELECT ${columnsOf('PricingRule')} FROM pricing_rules WHERE business_id = $1 AND mode = $2 AND id = ANY($3::uuid[])`;

/**
 * A step: the pricing rules that an input's list names, each once, in that order; one statement. Adds a problem for each that is
 * unknown, of the other mode, or charges in another currency than the first, and for too many.
 * @param hold against being changed or archived until the transaction ends; those that are archived are refused then
 */
export async function findRules(
  reader: SqlReader,
  problems: UserErrorData[],
  pricingRuleIds: readonly string[],
  hold: 'HOLD' | 'READ',
): Promise<PricingRule[]> {
  if (pricingRuleIds.length === 0) return [];
  const { businessId, mode } = tenantOf(reader.ctx);
  const ids = pricingRuleIds.map((id) => uuidOf('PricingRule', id));
  const statement = hold === 'HOLD' ? `${text} ORDER BY id FOR SHARE` : text;
  const rows = await reader.sql<PricingRule>(`find_pricing_rules_${hold}`, statement, [businessId, mode, ids]);
  const byId = new Map(rows.map((row) => [row.id, row]));
  const found = new Set<PricingRule>();
  for (const [index, id] of ids.entries()) {
    const path = ['input', 'pricingRuleIds', String(index)];
    const rule = byId.get(id);
    if (!rule) {
      const message = 'There is no pricing rule with this id.';
      problems.push(...(await missing(reader, 'PricingRule', id, path, 'PricingRuleNotFound', message)).errors);
    } else if (rule.archivedAt && hold === 'HOLD') problems.push(archivedRule(path));
    else found.add(rule);
  }
  const [first, ...others] = found;
  for (const { id, currency } of others) {
    if (first && currency !== first.currency) {
      problems.push(otherCurrency(['input', 'pricingRuleIds', ids.indexOf(id)], first.currency));
    }
  }
  if (found.size > MAX_RULES) problems.push(tooManyRules(['input', 'pricingRuleIds']));
  return [...found];
}

/** What to answer when an archived rule shall be attached or changed. */
export function archivedRule(path: Path): UserErrorData {
  return userError('PricingRuleArchived', path, 'The pricing rule is archived. Create another one.');
}

/** What to answer when a rule charges in another currency than those that are attached. */
export function otherCurrency(path: Path, expected: string): UserErrorData {
  const message = `The other pricing rules charge in ${expected}, and a product key is charged in one currency. Use one of that.`;
  return userError('CurrencyMismatch', path, message, { expected });
}

/** What to answer when more rules are attached than may be. */
export function tooManyRules(path: Path): UserErrorData {
  return userError('InvalidInput', path, `Up to ${MAX_RULES} rules charge a product key. Put some of them together.`);
}
