import type { Resolvers } from '../generated/graphql.js';
import { found, required } from '../graphql/fields.js';
import { reads, readsLoaded } from '../graphql/reads.js';
import { isActive } from '../licenses/license.js';
import { asOf, dueColumns } from '../lifecycle/dueChanges.js';
import { currentLicense } from './currentLicense.js';
import { productLicenses } from './listProductLicenses.js';
import { endOrPermanent } from './permanentEnd.js';
import { publicLicenseKey } from './publicLicenseKey.js';

export const lookupResolvers = {
  Query: {
    publicLicenseKey: (_, args, { request }) => publicLicenseKey(request, args),
    currentLicense: (_, { key }, { request }) => currentLicense(request, key),
    productLicenses: (_, args, { request, columns }) => productLicenses(request, args, columns.License),
  },
  CurrentLicense: {
    issuedToIdentifier: readsLoaded(
      'Customer',
      ['number'],
      (seen) =>
        async ({ license }, _, { loaders }) =>
          seen(await required(loaders.customerById.load(license.customerId))).number,
    ),
    validFrom: ({ license }) => license.validFrom,
    validUntil: ({ license }) => endOrPermanent(license.validUntil),
    isPermanent: ({ license }) => license.validUntil === null,
    keyIdentifier: ({ key }) => key,
    isActive: ({ license }, _, { request }) => isActive(license, request.now),
  },
  ProductLicense: {
    internalUserIdentifier: readsLoaded('Customer', ['number'], (seen) =>
      reads(
        'License',
        ['customerId'],
        async ({ customerId }, _, { loaders }) => seen(await required(loaders.customerById.load(customerId))).number,
      ),
    ),
    from: reads('License', dueColumns, (license, _, { request }) => asOf(license, request.now).validFrom),
    until: reads('License', ['validUntil'], ({ validUntil }) => endOrPermanent(validUntil)),
    isActive: reads('License', dueColumns, (license, _, { request }) => isActive(license, request.now)),
    orderIdentifier: reads(
      'License',
      ['orderId'],
      async ({ orderId }, _, { loaders }) => (await found(loaders.orderById, orderId))?.number ?? null,
    ),
    licenseIdentifier: reads('License', ['number'], ({ number }) => number),
    licenseKey: reads('License', [], ({ id }, _, { loaders }) => loaders.keyShownByLicense.load(id)),
  },
} satisfies Resolvers;
