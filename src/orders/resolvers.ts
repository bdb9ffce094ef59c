import type { Resolvers } from '../generated/graphql.js';
import { found, idOf, required } from '../graphql/fields.js';
import { uuidOf } from '../kernel/id.js';
import { moneyOf } from '../kernel/money.js';
import { listPage } from '../kernel/page.js';
import { orderList } from './listOrders.js';

export const orderResolvers = {
  Query: {
    order: (_, { id }, { loaders }) => loaders.orderById.load(uuidOf('Order', id)),
    orders: (_, args, { request }) => listPage(request.db, orderList(request, args), args),
  },
  Order: {
    id: idOf('Order'),
    customer: ({ customerId }, _, { loaders }) => required(loaders.customerById.load(customerId)),
    brand: ({ brandId }, _, { loaders }) => required(loaders.brandById.load(brandId)),
    wallet: ({ walletId }, _, { loaders }) => found(loaders.walletById, walletId),
    total: ({ totalMinor, currency }) => moneyOf(totalMinor, currency),
    lines: ({ id }, _, { loaders }) => loaders.linesByOrder.load(id),
    discountRedemptions: ({ id }, _, { loaders }) => loaders.redemptionsByOrder.load(id),
    licenses: ({ id }, args, { loaders }) => loaders.licensesByOrder.load({ parentId: id, args }),
    ledgerTransaction: ({ ledgerTransactionId }, _, { loaders }) =>
      found(loaders.ledgerTransactionById, ledgerTransactionId),
    testMode: ({ mode }) => mode === 'TEST',
  },
  OrderLine: {
    id: idOf('OrderLine'),
    package: ({ packageId }, _, { loaders }) => found(loaders.packageById, packageId),
    subscriptionType: ({ subscriptionTypeId }, _, { loaders }) =>
      found(loaders.subscriptionTypeById, subscriptionTypeId),
    productOffering: ({ productOfferingId }, _, { loaders }) => found(loaders.productOfferingById, productOfferingId),
    unitAmount: async ({ orderId, unitAmountMinor }, _, { loaders }) =>
      moneyOf(unitAmountMinor, (await required(loaders.orderById.load(orderId))).currency),
    discount: async ({ orderId, discountMinor }, _, { loaders }) =>
      moneyOf(discountMinor, (await required(loaders.orderById.load(orderId))).currency),
    total: async ({ orderId, totalMinor }, _, { loaders }) =>
      moneyOf(totalMinor, (await required(loaders.orderById.load(orderId))).currency),
  },
} satisfies Resolvers;
