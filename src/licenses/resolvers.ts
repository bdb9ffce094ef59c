import type { Resolvers } from '../generated/graphql.js';
import { found, idOf, required } from '../graphql/fields.js';
import { mutation } from '../graphql/mutation.js';
import { reads, readsLoaded } from '../graphql/reads.js';
import { uuidOf } from '../kernel/id.js';
import { listPage } from '../kernel/page.js';
import type { Metadata } from '../kernel/text.js';
import { activateLicense } from './activateLicense.js';
import { applyLicense } from './applyLicense.js';
import { assignLicense } from './assignLicense.js';
import { assignedColumns, assignmentOf } from './assignment.js';
import { blockLicense } from './blockLicense.js';
import { cancelLicense } from './cancelLicense.js';
import { cancelPendingLicenseChange } from './cancelPendingLicenseChange.js';
import { changeLicenseProductOffering } from './changeLicenseProductOffering.js';
import { createLicense } from './createLicense.js';
import { asOf, dueColumns, offeringDue, statusOf } from '../lifecycle/dueChanges.js';
import { issueLicenseKey } from './issueLicenseKey.js';
import { amountOf, discountOf, isActive, pendingStatusOf, validityOf } from './license.js';
import { licenseList } from './listLicenses.js';
import { changeableColumns } from './loadOfferingOptions.js';
import { pauseLicense } from './pauseLicense.js';
import { previewFields, previewLicenseChange } from './previewLicenseChange.js';
import { resumeLicense } from './resumeLicense.js';
import { unblockLicense } from './unblockLicense.js';
import { updateLicense } from './updateLicense.js';

/** Which offering a license has gone over to. */
const offeringColumns = [...dueColumns, 'productOfferingId'] as const;

export const licenseResolvers = {
  Query: {
    license: (_, { id }, { loaders }) => loaders.licenseById.load(uuidOf('License', id)),
    licenses: (_, args, { request, columns }) =>
      listPage(request.db, licenseList(request, args), args, columns.License),
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
    status: reads('License', dueColumns, (license, _, { request }) => statusOf(license, request.now)),
    customer: reads('License', ['customerId'], ({ customerId }, _, { loaders }) =>
      required(loaders.customerById.load(customerId)),
    ),
    type: readsLoaded('ProductOffering', ['licenseType'], (seen) =>
      reads('License', [...offeringColumns, 'type'], async (license, _, { loaders, request }) => {
        const due = offeringDue(license, request.now);
        return due ? seen(await required(loaders.productOfferingById.load(due))).licenseType : license.type;
      }),
    ),
    productOffering: reads('License', offeringColumns, (license, _, { loaders, request }) =>
      found(loaders.productOfferingById, asOf(license, request.now).productOfferingId),
    ),
    package: reads('License', ['packageId'], ({ packageId }, _, { loaders }) => found(loaders.packageById, packageId)),
    subscriptionType: reads('License', ['subscriptionTypeId'], ({ subscriptionTypeId }, _, { loaders }) =>
      found(loaders.subscriptionTypeById, subscriptionTypeId),
    ),
    order: reads('License', ['orderId'], ({ orderId }, _, { loaders }) => found(loaders.orderById, orderId)),
    licenseKeys: reads('License', [], ({ id }, _, { loaders }) => loaders.licenseKeysByLicense.load(id)),
    grants: reads('License', [], ({ id }, _, { loaders }) => loaders.grantsByLicense.load(id)),
    validFrom: reads('License', dueColumns, (license, _, { request }) => asOf(license, request.now).validFrom),
    validity: reads('License', dueColumns, (license, _, { request }) => validityOf(license, request.now)),
    isActive: reads('License', dueColumns, (license, _, { request }) => isActive(license, request.now)),
    isPermanent: reads('License', ['validUntil'], ({ validUntil }) => validUntil === null),
    activatedAt: reads(
      'License',
      [...dueColumns, 'activatedAt'],
      (license, _, { request }) => asOf(license, request.now).activatedAt,
    ),
    pausedAt: reads(
      'License',
      [...dueColumns, 'pausedAt'],
      (license, _, { request }) => asOf(license, request.now).pausedAt,
    ),
    cancelledAt: reads(
      'License',
      [...dueColumns, 'cancelledAt'],
      (license, _, { request }) => asOf(license, request.now).cancelledAt,
    ),
    assignedTo: reads('License', assignedColumns, assignmentOf),
    details: reads('License', ['details'], ({ details }) => details as Metadata | null),
    pendingStatus: reads('License', dueColumns, (license, _, { request }) => pendingStatusOf(license, request.now)),
    pendingProductOffering: reads('License', dueColumns, async (license, _, { loaders, request }) => {
      const { pendingOfferingId: id, pendingOfferingAt: scheduledAt } = asOf(license, request.now);
      return id && scheduledAt
        ? { productOffering: await required(loaders.productOfferingById.load(id)), scheduledAt }
        : null;
    }),
    productOfferingOptions: reads('License', changeableColumns, (license, _, { loaders }) =>
      loaders.productOfferingOptions.load(license),
    ),
    usedBy: reads('License', ['usedById'], ({ usedById }, _, { loaders }) => found(loaders.customerById, usedById)),
    renewal: readsLoaded('License', dueColumns, (seen) =>
      reads('License', ['renewalId'], async ({ renewalId }, _, { loaders, request }) => {
        const renewal = await found(loaders.licenseById, renewalId);
        return renewal && statusOf(seen(renewal), request.now) !== 'CANCELLED' ? renewal : null;
      }),
    ),
    renewalOf: reads('License', dueColumns, async (license, _, { loaders, request }) =>
      statusOf(license, request.now) === 'CANCELLED'
        ? null
        : ((await loaders.licensesByRenewal.load(license.id))[0] ?? null),
    ),
    amount: reads('License', ['amountMinor', 'currency'], amountOf),
    discount: reads('License', ['discountMinor', 'amountMinor', 'currency'], discountOf),
    testMode: reads('License', [], ({ mode }) => mode === 'TEST'),
    metadata: reads('License', ['metadata'], ({ metadata }) => metadata as Metadata),
    history: reads('License', [], ({ id }, args, { loaders }) => loaders.changesByObject.load({ parentId: id, args })),
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
