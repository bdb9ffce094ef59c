import type { Resolvers } from '../generated/graphql.js';
import { found, idOf } from '../graphql/fields.js';
import { mutation } from '../graphql/mutation.js';
import { uuidOf } from '../kernel/id.js';
import { listPage } from '../kernel/page.js';
import type { Metadata } from '../kernel/text.js';
import { archiveApplication } from './archiveApplication.js';
import { createApplication } from './createApplication.js';
import { applicationList } from './listApplications.js';
import { updateApplication } from './updateApplication.js';

export const applicationResolvers = {
  Query: {
    application: (_, { id }, { loaders }) => loaders.applicationById.load(uuidOf('Application', id)),
    applications: (_, args, { request }) => listPage(request.db, applicationList(request, args), args),
  },
  Mutation: {
    createApplication: mutation(createApplication),
    updateApplication: mutation(updateApplication),
    archiveApplication: mutation(archiveApplication),
  },
  Application: {
    id: idOf('Application'),
    testMode: ({ mode }) => mode === 'TEST',
    metadata: ({ metadata }) => metadata as Metadata,
  },
  CreateApplicationPayload: {
    application: ({ applicationId }, _, { loaders }) => found(loaders.applicationById, applicationId),
  },
  UpdateApplicationPayload: {
    application: ({ applicationId }, _, { loaders }) => found(loaders.applicationById, applicationId),
  },
  ArchiveApplicationPayload: {
    application: ({ applicationId }, _, { loaders }) => found(loaders.applicationById, applicationId),
  },
} satisfies Resolvers;
