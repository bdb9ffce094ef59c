import type { Resolvers } from '../generated/graphql.js';
import { found, idOf } from '../graphql/fields.js';
import { uuidOf } from '../kernel/id.js';
import { keptText } from './keptMails.js';

export const deliveryResolvers = {
  Query: {
    delivery: (_, { id }, { loaders }) => loaders.deliveryById.load(uuidOf('Delivery', id)),
  },
  Delivery: {
    id: idOf('Delivery'),
    text: ({ id, file }, _, { request }) => (file === null ? null : keptText(request.mailFolder, id)),
    grant: ({ grantId }, _, { loaders }) => found(loaders.grantById, grantId),
  },
} satisfies Resolvers;
