import type DataLoader from 'dataloader';
import type { Resolvers } from '../generated/graphql.js';
import type { ProductKey, ProductKeyMeter } from '../generated/prisma/client.js';
import { found, idOf, required } from '../graphql/fields.js';
import { mutation } from '../graphql/mutation.js';
import { reads } from '../graphql/reads.js';
import { moneyOf } from '../kernel/money.js';
import { listPage } from '../kernel/page.js';
import type { Metadata } from '../kernel/text.js';
import { graceEnd, maskedKey } from '../licenseKeys/licenseKey.js';
import { cancelProductKey } from './cancelProductKey.js';
import { createProductKey } from './createProductKey.js';
import { disableProductKey } from './disableProductKey.js';
import { enableProductKey } from './enableProductKey.js';
import { rotateProductKey } from './rotateProductKey.js';
import { transferProductKey } from './transferProductKey.js';
import { updateProductKey } from './updateProductKey.js';
import { withdrawProductKeyCancellation } from './withdrawProductKeyCancellation.js';
import { recordPaymentResult } from './recordPaymentResult.js';
import { findProductKey } from './findProductKey.js';
import { hasEnded, statusOf } from './life.js';
import { productKeyList } from './listProductKeys.js';
import { isOpen, meterAsOf, overageOf, percentOf, remainingOf } from './meter.js';

interface Context {
  loaders: {
    meterByProductKey: DataLoader<string, ProductKeyMeter | null>;
    productKeyById: DataLoader<string, ProductKey | null>;
  };
  request: { now: Date };
}

/** A field of a key's meter, as it is now. */
function ofMeter<Value>(read: (meter: ProductKeyMeter) => Value) {
  return async ({ id, startsAt }: ProductKey, _: unknown, { loaders, request }: Context): Promise<Value> =>
    read(meterAsOf(await required(loaders.meterByProductKey.load(id)), startsAt, request.now));
}

/** The product key that a payload names. */
const productKey = ({ productKeyId }: { productKeyId?: string }, _: unknown, { loaders }: Context) =>
  found(loaders.productKeyById, productKeyId);

export const productKeyResolvers = {
  Query: {
    productKey: (_, args, { request, loaders }) => findProductKey(request, loaders.productKeyById, args),
    productKeys: (_, args, { request }) => listPage(request.db, productKeyList(request, args), args),
  },
  Mutation: {
    createProductKey: mutation(createProductKey),
    updateProductKey: mutation(updateProductKey),
    disableProductKey: mutation(disableProductKey),
    enableProductKey: mutation(enableProductKey),
    cancelProductKey: mutation(cancelProductKey, { movesMoney: true }),
    withdrawProductKeyCancellation: mutation(withdrawProductKeyCancellation),
    transferProductKey: mutation(transferProductKey),
    rotateProductKey: mutation(rotateProductKey),
    recordPaymentResult: mutation(recordPaymentResult),
  },
  ProductKey: {
    id: idOf('ProductKey'),
    status: (key, _, { request }) => statusOf(key, request.now),
    valid: async (key, _, context) =>
      ['TRIALING', 'ACTIVE'].includes(statusOf(key, context.request.now)) && (await ofMeter(isOpen)(key, _, context)),
    owner: ({ customerId }, _, { loaders }) => required(loaders.customerById.load(customerId)),
    providerOrganization: ({ providerOrganizationId }, _, { loaders }) =>
      found(loaders.organizationById, providerOrganizationId),
    organization: ({ organizationId }, _, { loaders }) => found(loaders.organizationById, organizationId),
    products: async ({ id }, _, { loaders }) =>
      allOf(loaders.productById, await loaders.productIdsByProductKey.load(id)),
    key: ({ id }, _, { loaders }) => loaders.revealedProductKeyById.load(id),
    maskedKey,
    graceUntil: async ({ id }, _, { loaders, request }) =>
      graceEnd(await loaders.rotationsByProductKey.load(id), request.now),
    start: ({ startsAt }) => startsAt,
    expiration: ({ expiresAt }) => expiresAt,
    disabledAt: (key, _, { request }) => (hasEnded(statusOf(key, request.now)) ? null : key.disabledAt),
    disabledBy: (key, _, { request }) => (hasEnded(statusOf(key, request.now)) ? null : key.disabledBy),
    cancelledAt: (key, _, { request }) =>
      key.cancelledAt ?? (statusOf(key, request.now) === 'CANCELLED' ? key.cancelAt : null),
    quota: ofMeter(({ quota }) => quota),
    consumedQuota: ofMeter(({ consumed }) => consumed),
    remainingQuota: ofMeter(remainingOf),
    overage: ofMeter(overageOf),
    overQuota: ofMeter(({ overQuota }) => overQuota),
    quotaNotificationThreshold: ofMeter(({ threshold }) => (threshold === null ? null : percentOf(threshold))),
    quotaPeriod: ofMeter(({ quotaPeriod }) => quotaPeriod),
    quotaAnchor: ofMeter(({ quotaAnchor }) => quotaAnchor),
    quotaPeriodStart: ofMeter(({ periodStartsAt }) => periodStartsAt),
    quotaPeriodEnd: ofMeter(({ periodEndsAt }) => periodEndsAt),
    applications: async ({ id }, _, { loaders }) =>
      allOf(loaders.applicationById, await loaders.applicationIdsByProductKey.load(id)),
    namedOrganizations: async ({ id }, _, { loaders }) =>
      allOf(loaders.organizationById, await loaders.organizationIdsByProductKey.load(id)),
    namedConsumers: ({ id }, _, { loaders }) => loaders.consumersByProductKey.load(id),
    notificationAddressesOnCreation: ({ id }, _, { loaders }) => loaders.creationAddressesByProductKey.load(id),
    notificationAddressesOnQuotaThreshold: ({ id }, _, { loaders }) => loaders.quotaAddressesByProductKey.load(id),
    payments: ({ id }, _, { loaders }) => loaders.paymentsByProductKey.load(id),
    deliveries: ({ id }, _, { loaders }) => loaders.deliveriesByProductKey.load(id),
    testMode: ({ mode }) => mode === 'TEST',
    metadata: ({ metadata }) => metadata as Metadata,
    history: ({ id }, args, { loaders }) => loaders.changesByObject.load({ parentId: id, args }),
  },
  ProductKeyPayment: {
    amount: ({ amountMinor, currency }) =>
      amountMinor === null || currency === null ? null : moneyOf(amountMinor, currency),
    periodStart: ({ periodStartsAt }) => periodStartsAt,
    periodEnd: ({ periodEndsAt }) => periodEndsAt,
  },
  Customer: {
    productKeys: reads('Customer', [], ({ id }, args, { loaders }) =>
      loaders.productKeysByCustomer.load({ parentId: id, args }),
    ),
  },
  Delivery: { productKey: ({ productKeyId }, _, { loaders }) => found(loaders.productKeyById, productKeyId) },
  CreateProductKeyPayload: { productKey },
  UpdateProductKeyPayload: { productKey },
  DisableProductKeyPayload: { productKey },
  EnableProductKeyPayload: { productKey },
  RotateProductKeyPayload: { productKey },
  WithdrawProductKeyCancellationPayload: { productKey },
  TransferProductKeyPayload: { productKey },
  CancelProductKeyPayload: {
    productKey,
    ledgerEntries: ({ ledgerEntryIds }, _, { loaders }) =>
      ledgerEntryIds ? allOf(loaders.ledgerEntryById, ledgerEntryIds) : null,
  },
  RecordPaymentResultPayload: {
    productKey,
    payment: ({ paymentId }, _, { loaders }) => found(loaders.paymentById, paymentId),
  },
} satisfies Resolvers;

/** Rows by their ids, in order; all are there, as foreign keys say so. */
async function allOf<Row>(loader: DataLoader<string, Row | null>, ids: readonly string[]): Promise<Row[]> {
  return Promise.all(ids.map((id) => required(loader.load(id))));
}
