import type { Resolvers } from '../generated/graphql.js';
import { found, required } from '../graphql/fields.js';
import { isActive } from '../licenses/license.js';
import { asOf } from '../lifecycle/dueChanges.js';
import { currentLicense } from './currentLicense.js';
import { productLicenses } from './listProductLicenses.js';
import { endOrPermanent } from './permanentEnd.js';
import { publicLicenseKey } from './publicLicenseKey.js';

export const lookupResolvers = {
  Query: {
    publicLicenseKey: (_, args, { request }) => publicLicenseKey(request, args),
    currentLicense: (_, { key }, { request }) => currentLicense(request, key),
    productLicenses: (_, args, { request }) => productLicenses(request, args),
  },
  CurrentLicense: {
    issuedToIdentifier: async ({ license }, _, { loaders }) =>
      (await required(loaders.customerById.load(license.customerId))).number,
    validFrom: ({ license }) => license.validFrom,
    validUntil: ({ license }) => endOrPermanent(license.validUntil),
    isPermanent: ({ license }) => license.validUntil === null,
    keyIdentifier: ({ key }) => key,
    isActive: ({ license }, _, { request }) => isActive(license, request.now),
  },
  ProductLicense: {
    internalUserIdentifier: async ({ customerId }, _, { loaders }) =>
      (await required(loaders.customerById.load(customerId))).number,
    from: (license, _, { request }) => asOf(license, request.now).validFrom,
    until: ({ validUntil }) => endOrPermanent(validUntil),
    isActive: (license, _, { request }) => isActive(license, request.now),
    orderIdentifier: async ({ orderId }, _, { loaders }) => (await found(loaders.orderById, orderId))?.number ?? null,
    licenseIdentifier: ({ number }) => number,
    licenseKey: ({ id }, _, { loaders }) => loaders.keyShownByLicense.load(id),
  },
} satisfies Resolvers;
