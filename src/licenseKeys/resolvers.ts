import type { Resolvers } from '../generated/graphql.js';
import { idOf, required } from '../graphql/fields.js';
import { maskedKey } from './licenseKey.js';

export const licenseKeyResolvers = {
  LicenseKey: {
    id: idOf('LicenseKey'),
    key: ({ id }, _, { loaders }) => loaders.revealedKeyById.load(id),
    maskedKey,
    status: async ({ id, status }, _, { loaders }) =>
      status === 'ACTIVE' && (await loaders.isKeyEnded.load(id)) ? 'DISABLED' : status,
    customer: ({ customerId }, _, { loaders }) => required(loaders.customerById.load(customerId)),
    licenses: ({ id }, _, { loaders }) => loaders.licensesByKey.load(id),
  },
} satisfies Resolvers;
