import type DataLoader from 'dataloader';
import type { QuoteUsageInput } from '../generated/graphql.js';
import type { ProductKey } from '../generated/prisma/client.js';
import { uuidOf } from '../kernel/id.js';
import { missing } from '../kernel/missing.js';
import { Refusal, refuseIfAny, userError, type UserErrorData } from '../kernel/refusal.js';
import { tenantViewer, type RequestContext } from '../kernel/requestContext.js';
import { readerOf, type SqlReader } from '../kernel/transaction.js';
import { findRules } from '../pricing/findRules.js';
import { newestVersion } from '../pricing/terms.js';
import { hasEnded, statusOf } from '../productKeys/life.js';
import { refuseEnded } from '../productKeys/lockProductKey.js';
import { checkCount } from '../productKeys/productKeyFields.js';
import { quoteByRules, quoteOf, type Quote, type QuoteAnswer, type QuoteLoaders } from './quoteOf.js';

interface Loaders extends QuoteLoaders {
  readonly productKeyById: DataLoader<string, ProductKey | null>;
}

/** What usage would cost, by the rule that statements go by; without a lock and without writing. */
export async function quoteUsage(ctx: RequestContext, loaders: Loaders, input: QuoteUsageInput): Promise<QuoteAnswer> {
  try {
    refuseIfAny(problemsOf(input));
    return { quote: await quote(ctx, loaders, input), userErrors: [] };
  } catch (error) {
    if (error instanceof Refusal) return { quote: null, userErrors: error.errors };
    throw error;
  }
}

function problemsOf({ productKeyId, pricingRuleIds, units, quota }: QuoteUsageInput): UserErrorData[] {
  const problems: UserErrorData[] = [];
  checkCount(problems, 'units', units);
  checkCount(problems, 'quota', quota);
  if (productKeyId == null && (pricingRuleIds ?? []).length === 0) {
    const message = 'Name a product key, or the pricing rules to charge by.';
    problems.push(userError('InvalidInput', ['input', 'productKeyId'], message));
  }
  if (productKeyId != null && quota != null) {
    const message = 'The product key has its own quota. Leave it out.';
    problems.push(userError('InvalidInput', ['input', 'quota'], message));
  }
  return problems;
}

/** @throws Refusal ProductKeyNotFound, ProductKeyEnded, PricingRuleNotFound, ModeMismatch, CurrencyMismatch, InvalidInput */
async function quote(ctx: RequestContext, loaders: Loaders, input: QuoteUsageInput): Promise<Quote> {
  const reader = readerOf(ctx);
  const rules = await rulesOf(reader, input.pricingRuleIds ?? []);
  if (input.productKeyId == null) return quoteByRules(rules, input.units, input.quota ?? null);
  const id = uuidOf('ProductKey', input.productKeyId);
  const [key, meter] = [await loaders.productKeyById.load(id), await loaders.meterByProductKey.load(id)];
  if (!key || !meter) {
    const path = ['input', 'productKeyId'];
    throw await missing(reader, 'ProductKey', id, path, 'ProductKeyNotFound', 'There is no product key with this id.');
  }
  const status = statusOf(key, ctx.now);
  if (hasEnded(status)) refuseEnded({ ...key, status });
  const charges = await loaders.chargesByProductKey.load(id);
  return quoteOf(key, meter, rules.length > 0 ? { ...charges, rules } : charges, input.units, ctx.now);
}

/** To a session, no rule is there: it sees what charges its own keys. */
async function rulesOf(reader: SqlReader, pricingRuleIds: readonly string[]) {
  const problems: UserErrorData[] = [];
  const isSession = tenantViewer(reader.ctx).principal === 'CUSTOMER';
  const asked = isSession ? pricingRuleIds.map(() => '') : pricingRuleIds;
  const rules = await findRules(reader, problems, asked, 'READ');
  refuseIfAny(problems);
  return rules.map(newestVersion);
}
