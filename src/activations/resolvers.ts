import type { Resolvers } from '../generated/graphql.js';
import { idOf } from '../graphql/fields.js';
import { mutation } from '../graphql/mutation.js';
import { reads } from '../graphql/reads.js';
import { uuidOf } from '../kernel/id.js';
import { listPage } from '../kernel/page.js';
import { activateLicenseKey } from './activateLicenseKey.js';
import { endedAtOf, metadataOf, statusOf } from './activation.js';
import { deactivateLicenseKey } from './deactivateLicenseKey.js';
import { heartbeatActivation } from './heartbeatActivation.js';
import { holderOf } from './holderOf.js';
import { activationList } from './listActivations.js';

export const activationResolvers = {
  Query: {
    activation: (_, { id }, { loaders }) => loaders.activationById.load(uuidOf('Activation', id)),
    activations: (_, args, { request }) => listPage(request.db, activationList(request, args), args),
  },
  Mutation: {
    activateLicenseKey: mutation(activateLicenseKey, { holderOf }),
    deactivateLicenseKey: mutation(deactivateLicenseKey, { holderOf }),
    heartbeatActivation: mutation(heartbeatActivation, { holderOf }),
  },
  Activation: {
    id: idOf('Activation'),
    status: (activation, _, { request }) => statusOf(activation, request.now),
    endedAt: (activation, _, { request }) => endedAtOf(activation, request.now),
    metadata: (activation, _, { request }) => metadataOf(activation, request.viewer),
    licenseKey: ({ licenseKeyId }, _, { loaders }) => loaders.licenseKeyById.load(licenseKeyId),
    customer: ({ customerId }, _, { loaders }) => loaders.customerById.load(customerId),
    testMode: ({ mode }) => mode === 'TEST',
    history: ({ id }, args, { loaders }) => loaders.changesByObject.load({ parentId: id, args }),
  },
  LicenseKey: {
    activationsUsed: async ({ id, activationsUsed }, _, { loaders }) =>
      activationsUsed - (await loaders.freedSeatsByKey.load(id)),
    activations: ({ id }, args, { loaders }) => loaders.activationsByKey.load({ parentId: id, args }),
  },
  Customer: {
    activations: reads('Customer', [], ({ id }, args, { loaders }) =>
      loaders.activationsByCustomer.load({ parentId: id, args }),
    ),
  },
  ActivateLicenseKeyPayload: {
    activation: (refs, _, { loaders }) => (refs.activationId ? loaders.activationByRefs.load(refs) : null),
  },
  DeactivateLicenseKeyPayload: {
    activation: (refs, _, { loaders }) => (refs.activationId ? loaders.activationByRefs.load(refs) : null),
  },
  HeartbeatActivationPayload: {
    activation: (refs, _, { loaders }) => (refs.activationId ? loaders.activationByRefs.load(refs) : null),
  },
} satisfies Resolvers;
