import type { Resolvers } from '../generated/graphql.js';
import { found, idOf } from '../graphql/fields.js';
import { mutation } from '../graphql/mutation.js';
import { uuidOf } from '../kernel/id.js';
import { moneyOf, type Money } from '../kernel/money.js';
import { listPage } from '../kernel/page.js';
import { archivePricingRule } from './archivePricingRule.js';
import { createPricingRule } from './createPricingRule.js';
import { pricingRuleList } from './listPricingRules.js';
import { tiersOf, type PricingTerms } from './terms.js';
import { updatePricingRule } from './updatePricingRule.js';

/** What a rule and its versions say alike. */
const terms = {
  currencyCode: ({ currency }: PricingTerms) => currency,
  amount: ({ amountMinor, currency }: PricingTerms): Money | null =>
    amountMinor === null ? null : moneyOf(amountMinor, currency),
  tiers: (rule: PricingTerms) =>
    tiersOf(rule).map(({ upTo, unitPrice, flatMinor }) => {
      return {
        upTo: upTo === null ? null : BigInt(upTo),
        unitPrice,
        flatAmount: moneyOf(BigInt(flatMinor), rule.currency),
      };
    }),
};

export const pricingResolvers = {
  Query: {
    pricingRule: (_, { id }, { loaders }) => loaders.pricingRuleById.load(uuidOf('PricingRule', id)),
    pricingRules: (_, args, { request }) => listPage(request.db, pricingRuleList(request, args), args),
  },
  Mutation: {
    createPricingRule: mutation(createPricingRule),
    updatePricingRule: mutation(updatePricingRule),
    archivePricingRule: mutation(archivePricingRule),
  },
  PricingRule: {
    id: idOf('PricingRule'),
    ...terms,
    versions: ({ id }, _, { loaders }) => loaders.versionsByPricingRule.load(id),
    testMode: ({ mode }) => mode === 'TEST',
  },
  PricingRuleVersion: terms,
  CreatePricingRulePayload: {
    pricingRule: ({ pricingRuleId }, _, { loaders }) => found(loaders.pricingRuleById, pricingRuleId),
  },
  UpdatePricingRulePayload: {
    pricingRule: ({ pricingRuleId }, _, { loaders }) => found(loaders.pricingRuleById, pricingRuleId),
  },
  ArchivePricingRulePayload: {
    pricingRule: ({ pricingRuleId }, _, { loaders }) => found(loaders.pricingRuleById, pricingRuleId),
  },
} satisfies Resolvers;
