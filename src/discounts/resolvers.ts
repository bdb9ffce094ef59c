import type DataLoader from 'dataloader';
import type { Resolvers } from '../generated/graphql.js';
import { found, idOf, required } from '../graphql/fields.js';
import { mutation } from '../graphql/mutation.js';
import { ClientError } from '../kernel/clientError.js';
import { uuidOf } from '../kernel/id.js';
import { moneyOf } from '../kernel/money.js';
import { listPage } from '../kernel/page.js';
import type { Metadata } from '../kernel/text.js';
import { archiveDiscount } from './archiveDiscount.js';
import { codeKeyOf } from './code.js';
import { createDiscount } from './createDiscount.js';
import { moneysOf, statusOf } from './discount.js';
import { generateDiscountCodes } from './generateDiscountCodes.js';
import { discountList } from './listDiscounts.js';
import { previewDiscount, previewFields } from './previewDiscount.js';
import { updateDiscount } from './updateDiscount.js';

/** Rows that a discount names; all are there, as nothing is ever deleted. */
function all<Row>(loader: DataLoader<string, Row | null>, ids: readonly string[]): Promise<Row[]> {
  return Promise.all(ids.map((id) => required(loader.load(id))));
}

function refuseUnlessOne(id: unknown, code: unknown): void {
  if ((id == null) !== (code == null)) return;
  throw new ClientError('BAD_USER_INPUT', 'Give `id` or `code`, one of the two.', { argument: 'id' });
}

export const discountResolvers = {
  Query: {
    discount: async (_, { id, code }, { loaders }) => {
      refuseUnlessOne(id, code);
      if (id != null) return loaders.discountById.load(uuidOf('Discount', id));
      return found(loaders.discountById, await loaders.discountIdByCodeKey.load(codeKeyOf(code ?? '')));
    },
    discounts: (_, args, { request }) => listPage(request.db, discountList(request, args), args),
    previewDiscount: (_, { input }, { request }) => previewDiscount(request, input),
  },
  Mutation: {
    createDiscount: mutation(createDiscount),
    updateDiscount: mutation(updateDiscount),
    archiveDiscount: mutation(archiveDiscount),
    generateDiscountCodes: mutation(generateDiscountCodes),
  },
  Discount: {
    id: idOf('Discount'),
    status: (discount, _, { request }) => statusOf(discount, request.now),
    amounts: ({ amountsMinor }) => moneysOf(amountsMinor),
    minimumSpends: ({ minimumSpendsMinor }) => moneysOf(minimumSpendsMinor),
    products: ({ productIds }, _, { loaders }) => all(loaders.productById, productIds),
    packages: ({ packageIds }, _, { loaders }) => all(loaders.packageById, packageIds),
    productOfferings: ({ productOfferingIds }, _, { loaders }) => all(loaders.productOfferingById, productOfferingIds),
    eligibleCustomers: ({ customerIds }, _, { loaders }) => all(loaders.customerById, customerIds),
    usedCount: ({ id, usageLimit, usedCount }, _, { loaders }) =>
      usageLimit === null ? loaders.usesByDiscount.load(id) : usedCount,
    metadata: ({ metadata }) => metadata as Metadata,
    testMode: ({ mode }) => mode === 'TEST',
    codes: ({ id }, args, { loaders }) => loaders.codesByDiscount.load({ parentId: id, args }),
    redemptions: ({ id }, args, { loaders }) => loaders.redemptionsByDiscount.load({ parentId: id, args }),
  },
  DiscountCode: {
    id: idOf('DiscountCode'),
    discount: ({ discountId }, _, { loaders }) => required(loaders.discountById.load(discountId)),
    isGenerated: ({ batchId }) => batchId !== null,
    usedCount: ({ id, usageLimit, usedCount }, _, { loaders }) =>
      usageLimit === null ? loaders.usesByDiscountCode.load(id) : usedCount,
  },
  DiscountRedemption: {
    id: idOf('DiscountRedemption'),
    discount: ({ discountId }, _, { loaders }) => required(loaders.discountById.load(discountId)),
    code: async ({ discountCodeId }, _, { loaders }) =>
      (await required(loaders.discountCodeById.load(discountCodeId))).code,
    customer: ({ customerId }, _, { loaders }) => required(loaders.customerById.load(customerId)),
    order: ({ orderId }, _, { loaders }) => found(loaders.orderById, orderId),
    amount: ({ amountMinor, currency }) =>
      amountMinor === null || currency === null ? null : moneyOf(amountMinor, currency),
  },
  PreviewDiscountPayload: previewFields,
  CreateDiscountPayload: { discount: ({ discountId }, _, { loaders }) => found(loaders.discountById, discountId) },
  UpdateDiscountPayload: { discount: ({ discountId }, _, { loaders }) => found(loaders.discountById, discountId) },
  ArchiveDiscountPayload: { discount: ({ discountId }, _, { loaders }) => found(loaders.discountById, discountId) },
  GenerateDiscountCodesPayload: {
    discount: ({ discountId }, _, { loaders }) => found(loaders.discountById, discountId),
    codes: ({ batchId }, _, { loaders }) => (batchId ? loaders.codesByBatch.load(batchId) : null),
  },
} satisfies Resolvers;
