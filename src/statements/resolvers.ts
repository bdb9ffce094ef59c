import type DataLoader from 'dataloader';
import { moneysOf } from '../discounts/discount.js';
import type { Resolvers } from '../generated/graphql.js';
import type { ProductKey } from '../generated/prisma/client.js';
import { found, idOf, required } from '../graphql/fields.js';
import { mutation } from '../graphql/mutation.js';
import { uuidOf } from '../kernel/id.js';
import { moneyOf } from '../kernel/money.js';
import { listPage } from '../kernel/page.js';
import { stackingOrder } from '../pricing/priceUsage.js';
import { hasEnded, statusOf } from '../productKeys/life.js';
import { applyDiscountToProductKey } from './applyDiscountToProductKey.js';
import { attachPricingRule } from './attachPricingRule.js';
import { detachPricingRule } from './detachPricingRule.js';
import { figureFields, type DiscountFigure, type LineFigure, type PartFigure } from './figures.js';
import { statementList } from './listStatements.js';
import { currentQuote } from './quoteOf.js';
import { quoteUsage } from './quoteUsage.js';
import { removeDiscountFromProductKey } from './removeDiscountFromProductKey.js';

interface Context {
  loaders: { productKeyById: DataLoader<string, ProductKey | null> };
}

/** The product key that a payload names. */
const productKey = ({ productKeyId }: { productKeyId?: string }, _: unknown, { loaders }: Context) =>
  found(loaders.productKeyById, productKeyId);

const money = (minor: string, { currency }: { currency: string }) => moneyOf(BigInt(minor), currency);

export const statementResolvers = {
  Query: {
    quoteUsage: (_, { input }, { request, loaders }) => quoteUsage(request, loaders, input),
    productKeyStatement: (_, { id }, { loaders }) =>
      loaders.productKeyStatementById.load(uuidOf('ProductKeyStatement', id)),
    productKeyStatements: (_, args, { request }) => listPage(request.db, statementList(request, args), args),
  },
  Mutation: {
    attachPricingRule: mutation(attachPricingRule),
    detachPricingRule: mutation(detachPricingRule),
    applyDiscountToProductKey: mutation(applyDiscountToProductKey),
    removeDiscountFromProductKey: mutation(removeDiscountFromProductKey),
  },
  ProductKey: {
    pricingRules: async ({ id }, _, { loaders }) => [...(await loaders.chargesByProductKey.load(id)).rules],
    pricingRuleHistory: ({ id }, _, { loaders }) => loaders.ruleHistoryByProductKey.load(id),
    discounts: async ({ id }, _, { loaders }) =>
      (await loaders.chargesByProductKey.load(id)).discounts.toSorted(stackingOrder),
    currentStatement: (key, _, { loaders, request }) =>
      hasEnded(statusOf(key, request.now)) ? null : currentQuote(key, loaders, request.now),
    statements: ({ id }, args, { loaders }) => loaders.statementsByProductKey.load({ parentId: id, args }),
  },
  ProductKeyPricingRule: {
    terms: (rule) => rule,
    pricingRule: ({ pricingRuleId }, _, { loaders }) => found(loaders.pricingRuleById, pricingRuleId),
  },
  ProductKeyDiscount: {
    redemptionId: idOf('DiscountRedemption'),
    redemption: ({ id }, _, { loaders }) => found(loaders.discountRedemptionById, id),
    amounts: ({ amountsMinor }) => moneysOf(amountsMinor),
    minimumSpends: ({ minimumSpendsMinor }) => moneysOf(minimumSpendsMinor),
  },
  DiscountRedemption: { productKey: ({ productKeyId }, _, { loaders }) => found(loaders.productKeyById, productKeyId) },
  ProductKeyStatement: {
    id: idOf('ProductKeyStatement'),
    productKey: ({ productKeyId }, _, { loaders }) => found(loaders.productKeyById, productKeyId),
    owner: ({ customerId }, _, { loaders }) => required(loaders.customerById.load(customerId)),
    periodStart: ({ startsAt }) => startsAt,
    periodEnd: ({ endsAt }) => endsAt,
    ...figureFields,
    slaCredits: (statement, _, { loaders }) => loaders.slaCreditsByStatement.load(statement),
    testMode: ({ mode }) => mode === 'TEST',
  },
  UsageQuote: {
    periodStart: ({ periodStartsAt }) => periodStartsAt,
    periodEnd: ({ periodEndsAt }) => periodEndsAt,
    ...figureFields,
  },
  StatementLine: {
    pricingRule: ({ pricingRuleId }, _, { loaders }) => found(loaders.pricingRuleById, pricingRuleId),
    pricingRuleVersion: ({ version }) => version,
    units: ({ units }) => BigInt(units),
    parts: ({ parts, currency }: LineFigure) => parts.map((part) => ({ ...part, currency })),
    exactAmount: ({ exact }) => exact,
    amount: (line: LineFigure) => money(line.amountMinor, line),
  },
  StatementPart: {
    upTo: ({ upTo }) => (upTo === null ? null : BigInt(upTo)),
    units: ({ units }) => BigInt(units),
    flatAmount: (part: PartFigure) => money(part.flatMinor, part),
    exactAmount: ({ exact }) => exact,
  },
  StatementDiscount: {
    redemption: ({ id }, _, { loaders }) => found(loaders.discountRedemptionById, id),
    amount: (discount: DiscountFigure) => money(discount.amountMinor, discount),
    remaining: (discount: DiscountFigure) => money(discount.remainingMinor, discount),
  },
  StatementSlaCredit: {
    amount: ({ amountMinor, currency }) => moneyOf(amountMinor, currency),
    creditedAt: ({ at }) => at,
    slaBreach: ({ slaBreachId }, _, { loaders }) => found(loaders.slaBreachById, slaBreachId),
  },
  AttachPricingRulePayload: { productKey },
  DetachPricingRulePayload: { productKey },
  ApplyDiscountToProductKeyPayload: {
    productKey,
    redemption: ({ redemptionId }, _, { loaders }) => found(loaders.discountRedemptionById, redemptionId),
  },
  RemoveDiscountFromProductKeyPayload: { productKey },
} satisfies Resolvers;
