import type { Resolvers } from '../generated/graphql.js';
import { found, idOf } from '../graphql/fields.js';
import { mutation } from '../graphql/mutation.js';
import { uuidOf } from '../kernel/id.js';
import { listPage } from '../kernel/page.js';
import type { Metadata } from '../kernel/text.js';
import { createCustomer } from './createCustomer.js';
import { customerName } from './customer.js';
import { customerList } from './listCustomers.js';
import { updateCustomer } from './updateCustomer.js';
import { upsertCustomer } from './upsertCustomer.js';

export const customerResolvers = {
  Query: {
    customer: (_, { id }, { loaders }) => loaders.customerById.load(uuidOf('Customer', id)),
    customers: (_, args, { request }) => listPage(request.db, customerList(request, args), args),
  },
  Mutation: {
    createCustomer: mutation(createCustomer),
    updateCustomer: mutation(updateCustomer),
    upsertCustomer: mutation(upsertCustomer),
  },
  Customer: {
    id: idOf('Customer'),
    name: customerName,
    countryCode3Letter: ({ countryCode }) => countryCode,
    metadata: ({ metadata }) => metadata as Metadata,
    organization: ({ organizationId }, _, { loaders }) => found(loaders.organizationById, organizationId),
    brand: ({ brandId }, _, { loaders }) => loaders.brandById.load(brandId),
    licenses: ({ id }, args, { loaders }) => loaders.licensesByCustomer.load({ parentId: id, args }),
    grants: ({ id }, args, { loaders }) => loaders.grantsByCustomer.load({ parentId: id, args }),
    wallets: ({ id }, args, { loaders }) => loaders.walletsByCustomer.load({ parentId: id, args }),
    discountRedemptions: ({ id }, args, { loaders }) => loaders.redemptionsByCustomer.load({ parentId: id, args }),
    orders: ({ id }, args, { loaders }) => loaders.ordersByCustomer.load({ parentId: id, args }),
  },
  CreateCustomerPayload: { customer: ({ customerId }, _, { loaders }) => found(loaders.customerById, customerId) },
  UpdateCustomerPayload: { customer: ({ customerId }, _, { loaders }) => found(loaders.customerById, customerId) },
  UpsertCustomerPayload: {
    customer: ({ customerId }, _, { loaders }) => found(loaders.customerById, customerId),
    created: ({ created }) => created ?? null,
  },
} satisfies Resolvers;
