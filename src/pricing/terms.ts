import type { PricingRule, PricingRuleVersion } from '../generated/prisma/client.js';

/** A tier as the column keeps it: numbers as strings. */
export interface Tier {
  /** Null: it has no end. */
  readonly upTo: string | null;
  /** Of the major unit. */
  readonly unitPrice: string;
  readonly flatMinor: string;
}

/** What of a pricing rule decides what it charges. */
export type PricingTerms = Pick<
  PricingRuleVersion,
  'currency' | 'model' | 'appliesTo' | 'amountMinor' | 'unitPrice' | 'tiers'
>;

/** What a change can make of a rule, all of which its versions keep. */
export type RuleFields = Omit<PricingTerms, 'currency'> & Pick<PricingRule, 'name' | 'description'>;

/** The tiers of a rule or one of its versions; none where it is FLAT or PER_UNIT. */
export function tiersOf({ tiers }: Pick<PricingTerms, 'tiers'>): readonly Tier[] {
  return tiers as unknown as Tier[];
}

/** The newest version of a rule. Archiving is the last change, and makes none. */
export function newestVersion(rule: PricingRule): PricingRuleVersion {
  const { businessId, mode, id: pricingRuleId, name, description, currency, model, appliesTo, ...rest } = rule;
  const { amountMinor, unitPrice, tiers, archivedAt, version, updatedAt: createdAt } = rest;
  const terms = { name, description, currency, model, appliesTo, amountMinor, unitPrice, tiers };
  return { businessId, mode, pricingRuleId, version: archivedAt === null ? version : version - 1, ...terms, createdAt };
}
