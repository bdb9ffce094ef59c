import type { Resolvers } from '../generated/graphql.js';
import { found, required } from '../graphql/fields.js';
import { mutation } from '../graphql/mutation.js';
import { purchaseLicensesByWallet } from './purchaseLicensesByWallet.js';
import { renewLicense } from './renewLicense.js';
import { statusCodeOf } from './statusCode.js';

export const purchaseResolvers = {
  Mutation: {
    purchaseLicensesByWallet: mutation(purchaseLicensesByWallet, { movesMoney: true }),
    renewLicense: mutation(renewLicense, { movesMoney: true }),
  },
  RenewLicensePayload: {
    license: ({ licenseId }, _, { loaders }) => found(loaders.licenseById, licenseId),
    order: ({ orderId }, _, { loaders }) => found(loaders.orderById, orderId),
    wallet: ({ walletId }, _, { loaders }) => found(loaders.walletById, walletId),
    ledgerEntry: ({ ledgerEntryId }, _, { loaders }) => found(loaders.ledgerEntryById, ledgerEntryId),
  },
  PurchaseLicensesByWalletPayload: {
    order: ({ orderId }, _, { loaders }) => found(loaders.orderById, orderId),
    // A session that bought for somebody else does not see that customer's licenses.
    licenses: async ({ licenseIds }, _, { loaders }) =>
      licenseIds
        ? (await Promise.all(licenseIds.map((id) => loaders.licenseById.load(id)))).filter(
            (license) => license !== null,
          )
        : null,
    wallet: ({ walletId }, _, { loaders }) => found(loaders.walletById, walletId),
    ledgerEntries: ({ ledgerEntryIds }, _, { loaders }) =>
      ledgerEntryIds ? Promise.all(ledgerEntryIds.map((id) => required(loaders.ledgerEntryById.load(id)))) : null,
    success: ({ userErrors }) => userErrors.length === 0,
    data: ({ userErrors }) => userErrors.length === 0,
    statusCode: ({ userErrors }) => statusCodeOf(userErrors),
    message: ({ userErrors, licenseIds }) => userErrors[0]?.message ?? `Licenses bought: ${licenseIds?.length ?? 0}.`,
  },
} satisfies Resolvers;
