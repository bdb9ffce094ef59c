import type { Resolvers } from '../generated/graphql.js';
import { found, idOf, required } from '../graphql/fields.js';
import { mutation } from '../graphql/mutation.js';
import { uuidOf } from '../kernel/id.js';
import { listPage } from '../kernel/page.js';
import type { Metadata } from '../kernel/text.js';
import { activateLicense } from './activateLicense.js';
import { applyLicense } from './applyLicense.js';
import { assignLicense } from './assignLicense.js';
import { assignmentOf } from './assignment.js';
import { blockLicense } from './blockLicense.js';
import { cancelLicense } from './cancelLicense.js';
import { cancelPendingLicenseChange } from './cancelPendingLicenseChange.js';
import { changeLicenseProductOffering } from './changeLicenseProductOffering.js';
import { createLicense } from './createLicense.js';
import { asOf, offeringDue, statusOf } from '../lifecycle/dueChanges.js';
import { issueLicenseKey } from './issueLicenseKey.js';
import { amountOf, discountOf, isActive, pendingStatusOf, validityOf } from './license.js';
import { licenseList } from './listLicenses.js';
import { pauseLicense } from './pauseLicense.js';
import { previewFields, previewLicenseChange } from './previewLicenseChange.js';
import { resumeLicense } from './resumeLicense.js';
import { unblockLicense } from './unblockLicense.js';
import { updateLicense } from './updateLicense.js';

export const licenseResolvers = {
  Query: {
    license: (_, { id }, { loaders }) => loaders.licenseById.load(uuidOf('License', id)),
    licenses: (_, args, { request }) => listPage(request.db, licenseList(request, args), args),
    previewLicenseChange: (_, { input }, { request }) => previewLicenseChange(request, input),
  },
  Mutation: {
    createLicense: mutation(createLicense),
    activateLicense: mutation(activateLicense),
    pauseLicense: mutation(pauseLicense),
    resumeLicense: mutation(resumeLicense),
    blockLicense: mutation(blockLicense),
    unblockLicense: mutation(unblockLicense),
    cancelLicense: mutation(cancelLicense),
    changeLicenseProductOffering: mutation(changeLicenseProductOffering, { movesMoney: true }),
    assignLicense: mutation(assignLicense),
    updateLicense: mutation(updateLicense),
    applyLicense: mutation(applyLicense),
    cancelPendingLicenseChange: mutation(cancelPendingLicenseChange),
    issueLicenseKey: mutation(issueLicenseKey),
  },
  License: {
    id: idOf('License'),
    status: (license, _, { request }) => statusOf(license, request.now),
    customer: ({ customerId }, _, { loaders }) => required(loaders.customerById.load(customerId)),
    type: async (license, _, { loaders, request }) => {
      const due = offeringDue(license, request.now);
      return due ? (await required(loaders.productOfferingById.load(due))).licenseType : license.type;
    },
    productOffering: (license, _, { loaders, request }) =>
      found(loaders.productOfferingById, asOf(license, request.now).productOfferingId),
    package: ({ packageId }, _, { loaders }) => found(loaders.packageById, packageId),
    subscriptionType: ({ subscriptionTypeId }, _, { loaders }) =>
      found(loaders.subscriptionTypeById, subscriptionTypeId),
    order: ({ orderId }, _, { loaders }) => found(loaders.orderById, orderId),
    licenseKeys: ({ id }, _, { loaders }) => loaders.licenseKeysByLicense.load(id),
    grants: ({ id }, _, { loaders }) => loaders.grantsByLicense.load(id),
    validFrom: (license, _, { request }) => asOf(license, request.now).validFrom,
    validity: (license, _, { request }) => validityOf(license, request.now),
    isActive: (license, _, { request }) => isActive(license, request.now),
    isPermanent: ({ validUntil }) => validUntil === null,
    activatedAt: (license, _, { request }) => asOf(license, request.now).activatedAt,
    pausedAt: (license, _, { request }) => asOf(license, request.now).pausedAt,
    cancelledAt: (license, _, { request }) => asOf(license, request.now).cancelledAt,
    assignedTo: assignmentOf,
    details: ({ details }) => details as Metadata | null,
    pendingStatus: (license, _, { request }) => pendingStatusOf(license, request.now),
    pendingProductOffering: async (license, _, { loaders, request }) => {
      const { pendingOfferingId: id, pendingOfferingAt: scheduledAt } = asOf(license, request.now);
      return id && scheduledAt
        ? { productOffering: await required(loaders.productOfferingById.load(id)), scheduledAt }
        : null;
    },
    productOfferingOptions: (license, _, { loaders }) => loaders.productOfferingOptions.load(license),
    usedBy: ({ usedById }, _, { loaders }) => found(loaders.customerById, usedById),
    renewal: async ({ renewalId }, _, { loaders, request }) => {
      const renewal = await found(loaders.licenseById, renewalId);
      return renewal && statusOf(renewal, request.now) !== 'CANCELLED' ? renewal : null;
    },
    renewalOf: async (license, _, { loaders, request }) =>
      statusOf(license, request.now) === 'CANCELLED'
        ? null
        : ((await loaders.licensesByRenewal.load(license.id))[0] ?? null),
    amount: amountOf,
    discount: discountOf,
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
  CancelPendingLicenseChangePayload: {
    license: ({ licenseId }, _, { loaders }) => found(loaders.licenseById, licenseId),
  },
  ChangeLicenseProductOfferingPayload: {
    license: ({ licenseId }, _, { loaders }) => found(loaders.licenseById, licenseId),
    wallet: ({ walletId }, _, { loaders }) => found(loaders.walletById, walletId),
    ledgerEntry: ({ ledgerEntryId }, _, { loaders }) => found(loaders.ledgerEntryById, ledgerEntryId),
  },
  AssignLicensePayload: { license: ({ licenseId }, _, { loaders }) => found(loaders.licenseById, licenseId) },
  UpdateLicensePayload: { license: ({ licenseId }, _, { loaders }) => found(loaders.licenseById, licenseId) },
  ApplyLicensePayload: { license: ({ licenseId }, _, { loaders }) => found(loaders.licenseById, licenseId) },
  PreviewLicenseChangePayload: previewFields,
  IssueLicenseKeyPayload: {
    licenseKey: ({ licenseKeyId }, _, { loaders }) => found(loaders.licenseKeyById, licenseKeyId),
  },
} satisfies Resolvers;
