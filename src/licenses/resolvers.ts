import type { Resolvers } from '../generated/graphql.js';
import { found, idOf, required } from '../graphql/fields.js';
import { mutation } from '../graphql/mutation.js';
import { uuidOf } from '../kernel/id.js';
import { listPage } from '../kernel/page.js';
import type { Metadata } from '../kernel/text.js';
import { activateLicense } from './activateLicense.js';
import { blockLicense } from './blockLicense.js';
import { cancelLicense } from './cancelLicense.js';
import { createLicense } from './createLicense.js';
import { issueLicenseKey } from './issueLicenseKey.js';
import { amountOf, asOf, assignmentOf, isActive, pendingStatusOf, statusOf, validityOf } from './license.js';
import { licenseList } from './listLicenses.js';
import { pauseLicense } from './pauseLicense.js';
import { resumeLicense } from './resumeLicense.js';
import { unblockLicense } from './unblockLicense.js';

export const licenseResolvers = {
  Query: {
    license: (_, { id }, { loaders }) => loaders.licenseById.load(uuidOf('License', id)),
    licenses: (_, args, { request }) => listPage(request.db, licenseList(request, args), args),
  },
  Mutation: {
    createLicense: mutation(createLicense),
    activateLicense: mutation(activateLicense),
    pauseLicense: mutation(pauseLicense),
    resumeLicense: mutation(resumeLicense),
    blockLicense: mutation(blockLicense),
    unblockLicense: mutation(unblockLicense),
    cancelLicense: mutation(cancelLicense),
    issueLicenseKey: mutation(issueLicenseKey),
  },
  License: {
    id: idOf('License'),
    status: (license, _, { request }) => statusOf(license, request.now),
    customer: ({ customerId }, _, { loaders }) => required(loaders.customerById.load(customerId)),
    productOffering: ({ productOfferingId }, _, { loaders }) => found(loaders.productOfferingById, productOfferingId),
    package: ({ packageId }, _, { loaders }) => found(loaders.packageById, packageId),
    subscriptionType: ({ subscriptionTypeId }, _, { loaders }) =>
      found(loaders.subscriptionTypeById, subscriptionTypeId),
    order: ({ orderId }, _, { loaders }) => found(loaders.orderById, orderId),
    licenseKeys: ({ id }, _, { loaders }) => loaders.licenseKeysByLicense.load(id),
    grants: ({ id }, _, { loaders }) => loaders.grantsByLicense.load(id),
    validity: (license, _, { request }) => validityOf(license, request.now),
    isActive: (license, _, { request }) => isActive(license, request.now),
    isPermanent: ({ validUntil }) => validUntil === null,
    activatedAt: (license, _, { request }) => asOf(license, request.now).activatedAt,
    pausedAt: (license, _, { request }) => asOf(license, request.now).pausedAt,
    cancelledAt: (license, _, { request }) => asOf(license, request.now).cancelledAt,
    assignedTo: assignmentOf,
    details: ({ details }) => details as Metadata | null,
    pendingStatus: (license, _, { request }) => pendingStatusOf(license, request.now),
    amount: amountOf,
    testMode: ({ mode }) => mode === 'TEST',
    metadata: ({ metadata }) => metadata as Metadata,
    history: ({ id }, args, { loaders }) => loaders.changesByObject.load({ parentId: id, args }),
  },
  CreateLicensePayload: { license: ({ licenseId }, _, { loaders }) => found(loaders.licenseById, licenseId) },
  ActivateLicensePayload: { license: ({ licenseId }, _, { loaders }) => found(loaders.licenseById, licenseId) },
  PauseLicensePayload: { license: ({ licenseId }, _, { loaders }) => found(loaders.licenseById, licenseId) },
  ResumeLicensePayload: { license: ({ licenseId }, _, { loaders }) => found(loaders.licenseById, licenseId) },
  BlockLicensePayload: { license: ({ licenseId }, _, { loaders }) => found(loaders.licenseById, licenseId) },
  UnblockLicensePayload: { license: ({ licenseId }, _, { loaders }) => found(loaders.licenseById, licenseId) },
  CancelLicensePayload: { license: ({ licenseId }, _, { loaders }) => found(loaders.licenseById, licenseId) },
  IssueLicenseKeyPayload: {
    licenseKey: ({ licenseKeyId }, _, { loaders }) => found(loaders.licenseKeyById, licenseKeyId),
  },
} satisfies Resolvers;
