import type { Resolvers } from '../generated/graphql.js';
import { found } from '../graphql/fields.js';
import { productKeyAccess } from './productKeyAccess.js';

export const accessResolvers = {
  Query: {
    productKeyAccess: (_, args, { request }) => productKeyAccess(request, args),
  },
  ProductKeyAccess: {
    productKey: ({ productKeyId }, _, { loaders }) => found(loaders.productKeyById, productKeyId),
  },
} satisfies Resolvers;
