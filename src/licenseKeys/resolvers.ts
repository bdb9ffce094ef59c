import { bitsOf, defaultKeyPattern, generateKey, type KeyPattern } from '../catalog/keyPattern.js';
import type { Resolvers } from '../generated/graphql.js';
import { found, idOf, required } from '../graphql/fields.js';
import { mutation } from '../graphql/mutation.js';
import { reads } from '../graphql/reads.js';
import { uuidOf } from '../kernel/id.js';
import { listPage } from '../kernel/page.js';
import type { Metadata } from '../kernel/text.js';
import { addKeysToPool } from './addKeysToPool.js';
import { archiveLicenseKeyPool } from './archiveLicenseKeyPool.js';
import { createLicenseKeyPool } from './createLicenseKeyPool.js';
import { importLicenseKeys } from './importLicenseKeys.js';
import { graceEnd, maskedKey } from './licenseKey.js';
import { licenseKeyPoolList } from './listLicenseKeyPools.js';
import { licenseKeyList } from './listLicenseKeys.js';
import { removeKeysFromPool } from './removeKeysFromPool.js';
import { rotateLicenseKey } from './rotateLicenseKey.js';
import { updateLicenseKey } from './updateLicenseKey.js';
import { updateLicenseKeyPool } from './updateLicenseKeyPool.js';

export const licenseKeyResolvers = {
  Query: {
    licenseKey: (_, { id }, { loaders }) => loaders.licenseKeyById.load(uuidOf('LicenseKey', id)),
    licenseKeys: (_, args, { request }) => listPage(request.db, licenseKeyList(request, args), args),
    licenseKeyPool: (_, { id }, { loaders }) => loaders.licenseKeyPoolById.load(uuidOf('LicenseKeyPool', id)),
    licenseKeyPools: (_, args, { request }) => listPage(request.db, licenseKeyPoolList(request, args), args),
  },
  Mutation: {
    rotateLicenseKey: mutation(rotateLicenseKey),
    updateLicenseKey: mutation(updateLicenseKey),
    importLicenseKeys: mutation(importLicenseKeys),
    createLicenseKeyPool: mutation(createLicenseKeyPool),
    addKeysToPool: mutation(addKeysToPool),
    removeKeysFromPool: mutation(removeKeysFromPool),
    updateLicenseKeyPool: mutation(updateLicenseKeyPool),
    archiveLicenseKeyPool: mutation(archiveLicenseKeyPool),
  },
  LicenseKey: {
    id: idOf('LicenseKey'),
    key: ({ id }, _, { loaders }) => loaders.revealedKeyById.load(id),
    maskedKey,
    status: async ({ id, status }, _, { loaders }) =>
      status === 'ACTIVE' && (await loaders.isKeyEnded.load(id)) ? 'DISABLED' : status,
    graceUntil: async ({ id }, _, { loaders, request }) => graceEnd(await loaders.rotationsByKey.load(id), request.now),
    supersededTexts: ({ id }, _, { loaders }) => loaders.rotationsByKey.load(id),
    customer: ({ customerId }, _, { loaders }) => required(loaders.customerById.load(customerId)),
    licenses: ({ id }, _, { loaders }) => loaders.licensesByKey.load(id),
    grants: ({ id }, _, { loaders }) => loaders.grantsByKey.load(id),
    product: async ({ id }, _, { loaders }) => found(loaders.productById, await loaders.productIdByKey.load(id)),
    deliveries: ({ id }, _, { loaders }) => loaders.deliveriesByKey.load(id),
    testMode: ({ mode }) => mode === 'TEST',
    metadata: ({ metadata }) => metadata as Metadata,
    history: ({ id }, args, { loaders }) => loaders.changesByObject.load({ parentId: id, args }),
  },
  SupersededKeyText: {
    rotatedAt: ({ createdAt }) => createdAt,
    isInGrace: ({ graceUntil }, _, { request }) => graceUntil > request.now,
  },
  Customer: {
    licenseKeys: reads('Customer', [], ({ id }, args, { loaders }) =>
      loaders.licenseKeysByCustomer.load({ parentId: id, args }),
    ),
  },
  Delivery: { licenseKey: ({ licenseKeyId }, _, { loaders }) => found(loaders.licenseKeyById, licenseKeyId) },
  Product: {
    keyPattern: ({ keyPattern }) => (keyPattern as unknown as KeyPattern | null) ?? defaultKeyPattern,
  },
  KeyPattern: {
    groups: ({ groups }) => groups && [...groups],
    bits: bitsOf,
    example: (pattern) => generateKey(pattern),
  },
  LicenseKeyPool: {
    id: idOf('LicenseKeyPool'),
    product: ({ productId }, _, { loaders }) => found(loaders.productById, productId),
    availableCount: async ({ id }, _, { loaders }) => (await loaders.stockByPool.load(id)).available,
    usedCount: async ({ id }, _, { loaders }) => (await loaders.stockByPool.load(id)).used,
    lowSince: async ({ id }, _, { loaders }) => (await loaders.stockByPool.load(id)).lowSince,
  },
  ImportLicenseKeyResult: {
    licenseKey: ({ licenseKeyId }, _, { loaders }) => found(loaders.licenseKeyById, licenseKeyId),
  },
  RotateLicenseKeyPayload: {
    licenseKey: ({ licenseKeyId }, _, { loaders }) => found(loaders.licenseKeyById, licenseKeyId),
  },
  UpdateLicenseKeyPayload: {
    licenseKey: ({ licenseKeyId }, _, { loaders }) => found(loaders.licenseKeyById, licenseKeyId),
  },
  CreateLicenseKeyPoolPayload: {
    licenseKeyPool: ({ licenseKeyPoolId }, _, { loaders }) => found(loaders.licenseKeyPoolById, licenseKeyPoolId),
  },
  AddKeysToPoolPayload: {
    licenseKeyPool: ({ licenseKeyPoolId }, _, { loaders }) => found(loaders.licenseKeyPoolById, licenseKeyPoolId),
  },
  RemoveKeysFromPoolPayload: {
    licenseKeyPool: ({ licenseKeyPoolId }, _, { loaders }) => found(loaders.licenseKeyPoolById, licenseKeyPoolId),
  },
  UpdateLicenseKeyPoolPayload: {
    licenseKeyPool: ({ licenseKeyPoolId }, _, { loaders }) => found(loaders.licenseKeyPoolById, licenseKeyPoolId),
  },
  ArchiveLicenseKeyPoolPayload: {
    licenseKeyPool: ({ licenseKeyPoolId }, _, { loaders }) => found(loaders.licenseKeyPoolById, licenseKeyPoolId),
  },
} satisfies Resolvers;
