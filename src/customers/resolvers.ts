import type { Resolvers } from '../generated/graphql.js';
import { found, idOf } from '../graphql/fields.js';
import { mutation } from '../graphql/mutation.js';
import { reads } from '../graphql/reads.js';
import { uuidOf } from '../kernel/id.js';
import { listPage } from '../kernel/page.js';
import type { Metadata } from '../kernel/text.js';
import { createCustomer } from './createCustomer.js';
import { customerName, nameColumns } from './customer.js';
import { customerList } from './listCustomers.js';
import { updateCustomer } from './updateCustomer.js';
import { upsertCustomer } from './upsertCustomer.js';

export const customerResolvers = {
  Query: {
    customer: (_, { id }, { loaders }) => loaders.customerById.load(uuidOf('Customer', id)),
    customers: (_, args, { request, columns }) =>
      listPage(request.db, customerList(request, args), args, columns.Customer),
  },
  Mutation: {
    createCustomer: mutation(createCustomer),
    updateCustomer: mutation(updateCustomer),
    upsertCustomer: mutation(upsertCustomer),
  },
  Customer: {
    id: idOf('Customer'),
    name: reads('Customer', nameColumns, customerName),
    countryCode3Letter: reads('Customer', ['countryCode'], ({ countryCode }) => countryCode),
    metadata: reads('Customer', ['metadata'], ({ metadata }) => metadata as Metadata),
    organization: reads('Customer', ['organizationId'], ({ organizationId }, _, { loaders }) =>
      found(loaders.organizationById, organizationId),
    ),
    brand: reads('Customer', ['brandId'], ({ brandId }, _, { loaders }) => loaders.brandById.load(brandId)),
    licenses: reads('Customer', [], ({ id }, args, { loaders }) =>
      loaders.licensesByCustomer.load({ parentId: id, args }),
    ),
    grants: reads('Customer', [], ({ id }, args, { loaders }) => loaders.grantsByCustomer.load({ parentId: id, args })),
    wallets: reads('Customer', [], ({ id }, args, { loaders }) =>
      loaders.walletsByCustomer.load({ parentId: id, args }),
    ),
    discountRedemptions: reads('Customer', [], ({ id }, args, { loaders }) =>
      loaders.redemptionsByCustomer.load({ parentId: id, args }),
    ),
    orders: reads('Customer', [], ({ id }, args, { loaders }) => loaders.ordersByCustomer.load({ parentId: id, args })),
  },
  CreateCustomerPayload: { customer: ({ customerId }, _, { loaders }) => found(loaders.customerById, customerId) },
  UpdateCustomerPayload: { customer: ({ customerId }, _, { loaders }) => found(loaders.customerById, customerId) },
  UpsertCustomerPayload: {
    customer: ({ customerId }, _, { loaders }) => found(loaders.customerById, customerId),
    created: ({ created }) => created ?? null,
  },
} satisfies Resolvers;
