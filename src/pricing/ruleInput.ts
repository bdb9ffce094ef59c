import type { CreatePricingRuleInput, PricingTierInput, UpdatePricingRuleInput } from '../generated/graphql.js';
import type { PricingRule } from '../generated/prisma/client.js';
import { checkAmount, MAX_AMOUNT } from '../kernel/amount.js';
import { userError, type UserErrorData } from '../kernel/refusal.js';
import { checkLength, presentText } from '../kernel/text.js';
import { DECIMALS, exactOf } from './exact.js';
import { tiersOf, type PricingTerms, type RuleFields, type Tier } from './terms.js';

type Fields = Omit<CreatePricingRuleInput, 'currencyCode' | 'name' | 'model'> & UpdateFields;
type UpdateFields = Omit<UpdatePricingRuleInput, 'pricingRuleId'>;
type Path = readonly (string | number)[];

const MAX_TIERS = 50;
/** PostgreSQL's largest bigint: as much as can be used. */
const MOST = 2n ** 63n - 1n;

/** What is wrong with given fields in themselves, all at once; needs no I/O. */
export function fieldProblems(input: Partial<Fields>): UserErrorData[] {
  const problems: UserErrorData[] = [];
  checkLength(problems, ['input', 'name'], input.name?.trim(), 1, 255);
  checkLength(problems, ['input', 'description'], presentText(input.description), 1, 2000);
  checkPrice(problems, ['input', 'unitPrice'], input.unitPrice);
  checkTiers(problems, input.tiers);
  return problems;
}

/** A price has up to 12 decimals, and is not above what any amount can be. */
function checkPrice(problems: UserErrorData[], path: Path, price: string | null | undefined): void {
  if (price == null) return;
  const exact = exactOf(price);
  if (exact !== null && exact <= (exactOf(MAX_AMOUNT) as bigint)) return;
  const message = `Give a price from 0 to ${MAX_AMOUNT} with up to ${DECIMALS} decimals; it is ${price}.`;
  problems.push(userError('InvalidInput', path, message));
}

function checkTiers(problems: UserErrorData[], tiers: readonly PricingTierInput[] | null | undefined): void {
  if (tiers == null) return;
  if (tiers.length < 1 || tiers.length > MAX_TIERS) {
    const message = `Give 1 to ${MAX_TIERS} tiers; there are ${tiers.length}.`;
    problems.push(userError('InvalidInput', ['input', 'tiers'], message));
  }
  let below = 0n;
  tiers.forEach(({ upTo = null, unitPrice }, index) => {
    const path = ['input', 'tiers', index];
    checkPrice(problems, [...path, 'unitPrice'], unitPrice);
    const message = tierProblem(upTo, below, index === tiers.length - 1);
    if (message !== null) problems.push(userError('InvalidInput', [...path, 'upTo'], message));
    if (upTo !== null && upTo > below) below = upTo;
  });
}

function tierProblem(upTo: bigint | null, below: bigint, isLast: boolean): string | null {
  if (isLast) return upTo === null ? null : 'The last tier has no end. Leave it out.';
  if (upTo === null) return 'Only the last tier has no end. Give one.';
  return upTo > below && upTo < MOST ? null : `Give an end above ${below}, where the tier before ends; it is ${upTo}.`;
}

/**
 * What a rule is with given fields: absent fields leave what it is; with another model, what the one before needed goes. Adds what
 * is wrong with the rule as a whole, and with amounts in its currency.
 * @param current null: there is none yet
 */
export function ruleWith(
  problems: UserErrorData[],
  input: Partial<Fields>,
  current: Pick<PricingRule, keyof RuleFields> | null,
  currency: string,
): RuleFields {
  const kept = current && (input.model == null || input.model === current.model) ? current : null;
  const model = input.model ?? current?.model ?? 'FLAT';
  const rule: RuleFields = {
    name: input.name?.trim() ?? current?.name ?? '',
    description: input.description === undefined ? (current?.description ?? null) : presentText(input.description),
    model,
    appliesTo: input.appliesTo ?? (model === 'FLAT' ? 'USAGE' : (current?.appliesTo ?? 'USAGE')),
    amountMinor: input.amount === undefined ? (kept?.amountMinor ?? null) : amountOf(problems, input.amount, currency),
    unitPrice: input.unitPrice === undefined ? (kept?.unitPrice ?? null) : input.unitPrice,
    tiers: (input.tiers === undefined
      ? (kept?.tiers ?? [])
      : tierColumns(problems, input.tiers, currency)) as unknown as PricingTerms['tiers'],
  };
  checkWhole(problems, rule, input);
  return rule;
}

function amountOf(problems: UserErrorData[], amount: string | null, currencyCode: string): bigint | null {
  return amount === null ? null : checkMoney(problems, ['input'], 'amount', amount, currencyCode);
}

function tierColumns(
  problems: UserErrorData[],
  tiers: readonly PricingTierInput[] | null,
  currencyCode: string,
): Tier[] {
  return (tiers ?? []).map(({ upTo, unitPrice, flatAmount }, index) => {
    const path = ['input', 'tiers', index];
    const flat = flatAmount == null ? 0n : checkMoney(problems, path, 'flatAmount', flatAmount, currencyCode);
    return { upTo: upTo?.toString() ?? null, unitPrice, flatMinor: flat.toString() };
  });
}

/** As `checkAmount`, of a field with a name of its own; the currency is checked apart. */
function checkMoney(problems: UserErrorData[], at: Path, field: string, amount: string, currencyCode: string): bigint {
  const found: UserErrorData[] = [];
  const minor = checkAmount(found, { amount, currencyCode }, 'OR_ZERO', at);
  const wrong = found.filter(({ __typename }) => __typename === 'InvalidAmount');
  problems.push(...wrong.map(({ message }) => userError('InvalidAmount', [...at, field], message)));
  return minor;
}

const needs = { FLAT: 'amount', PER_UNIT: 'unitPrice', TIERED: 'tiers', VOLUME: 'tiers' } as const;

/** Exactly what its model needs. */
function checkWhole(problems: UserErrorData[], rule: RuleFields, input: Partial<Fields>): void {
  const has = {
    amount: rule.amountMinor !== null,
    unitPrice: rule.unitPrice !== null,
    tiers: tiersOf(rule).length > 0,
  };
  const needed = needs[rule.model];
  for (const field of ['amount', 'unitPrice', 'tiers'] as const) {
    const path = ['input', field];
    if (has[field] === (field === needed)) continue;
    // A list of no tiers was told already.
    if (field === 'tiers' && field === needed && input.tiers?.length === 0) continue;
    const message = has[field]
      ? `A ${rule.model} rule has none. Leave it out.`
      : `A ${rule.model} rule needs it. Give it.`;
    problems.push(userError('InvalidInput', path, message));
  }
  if (rule.model === 'FLAT' && rule.appliesTo !== 'USAGE') {
    const message = 'A FLAT rule charges no units. Leave it out.';
    problems.push(userError('InvalidInput', ['input', 'appliesTo'], message));
  }
}
