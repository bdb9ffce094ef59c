import type { Resolvers } from '../generated/graphql.js';
import { found } from '../graphql/fields.js';
import { mutation } from '../graphql/mutation.js';
import { eraseCustomer } from './eraseCustomer.js';

export const erasureResolvers = {
  Mutation: { eraseCustomer: mutation(eraseCustomer) },
  EraseCustomerPayload: { customer: ({ customerId }, _, { loaders }) => found(loaders.customerById, customerId) },
} satisfies Resolvers;
