import type { CreateProductInput, UpdateProductInput } from '../generated/graphql.js';
import type { Product } from '../generated/prisma/client.js';
import type { UserErrorData } from '../kernel/refusal.js';
import { checkNotNull, checkRange } from '../kernel/text.js';

/** What a product says about product keys of it. */
export type ProductKeyTerms = Pick<
  Product,
  'published' | 'audience' | 'trialDays' | 'quotaPeriod' | 'quotaAnchor' | 'overQuota'
>;

const fixed = ['published', 'audience', 'trialDays', 'quotaAnchor', 'overQuota'] as const;

/** Adds problems when what a product shall say about its product keys cannot be. */
export function checkProductKeyTerms(problems: UserErrorData[], input: CreateProductInput | UpdateProductInput): void {
  checkNotNull(problems, input, ...fixed);
  checkRange(problems, ['input', 'trialDays'], input.trialDays, 0, 3650);
}

/** What was given of it as columns; absent fields are left out. */
export function productKeyTermsOf(input: CreateProductInput | UpdateProductInput): Partial<ProductKeyTerms> {
  const given = [...fixed, 'quotaPeriod' as const].filter((field) => input[field] !== undefined);
  return Object.fromEntries(given.map((field) => [field, input[field]]));
}
