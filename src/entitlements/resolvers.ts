import type { Resolvers } from '../generated/graphql.js';
import { found, idOf } from '../graphql/fields.js';
import { mutation } from '../graphql/mutation.js';
import { uuidOf } from '../kernel/id.js';
import { listPage } from '../kernel/page.js';
import type { Metadata } from '../kernel/text.js';
import { attachEntitlement } from './attachEntitlement.js';
import { updateEntitlement } from './updateEntitlement.js';
import { archiveEntitlement } from './archiveEntitlement.js';
import { createEntitlement } from './createEntitlement.js';
import { detachEntitlement } from './detachEntitlement.js';
import { configurationOf } from './entitlement.js';
import { entitlementList } from './listEntitlements.js';

export const entitlementResolvers = {
  Query: {
    entitlement: (_, { id }, { loaders }) => loaders.entitlementById.load(uuidOf('Entitlement', id)),
    entitlements: (_, args, { request }) => listPage(request.db, entitlementList(request, args), args),
  },
  Mutation: {
    createEntitlement: mutation(createEntitlement),
    archiveEntitlement: mutation(archiveEntitlement),
    updateEntitlement: mutation(updateEntitlement),
    attachEntitlement: mutation(attachEntitlement),
    detachEntitlement: mutation(detachEntitlement),
  },
  Entitlement: {
    id: idOf('Entitlement'),
    metadata: ({ metadata }) => metadata as Metadata,
    configuration: configurationOf,
  },
  LicenseKeyConfiguration: {
    keySource: ({ licenseKeyPoolId }) => (licenseKeyPoolId === null ? 'GENERATED' : 'POOL'),
    licenseKeyPool: ({ licenseKeyPoolId }, _, { loaders }) => found(loaders.licenseKeyPoolById, licenseKeyPoolId),
  },
  CreateEntitlementPayload: {
    entitlement: ({ entitlementId }, _, { loaders }) => found(loaders.entitlementById, entitlementId),
  },
  AttachEntitlementPayload: {
    entitlement: ({ entitlementId }, _, { loaders }) => found(loaders.entitlementById, entitlementId),
  },
  DetachEntitlementPayload: {
    entitlement: ({ entitlementId }, _, { loaders }) => found(loaders.entitlementById, entitlementId),
  },
  UpdateEntitlementPayload: {
    entitlement: ({ entitlementId }, _, { loaders }) => found(loaders.entitlementById, entitlementId),
  },
  ArchiveEntitlementPayload: {
    entitlement: ({ entitlementId }, _, { loaders }) => found(loaders.entitlementById, entitlementId),
  },
} satisfies Resolvers;
