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
    text: async ({ id, file, recipient, grantId, licenseKeyId, productKeyId, template }, _, { request, loaders }) => {
      if (file === null || recipient === null) return null;
      // The text holds the key, so reading it is reading the key, and is recorded as that.
      const grant = await found(loaders.grantById, grantId);
      await found(loaders.revealedKeyById, grant?.licenseKeyId ?? licenseKeyId);
      if (template === 'product-key-created') await found(loaders.revealedProductKeyById, productKeyId);
      return keptText(request.mailFolder, id);
    },
    grant: ({ grantId }, _, { loaders }) => found(loaders.grantById, grantId),
  },
} satisfies Resolvers;
