import type { Resolvers } from '../generated/graphql.js';
import { found, idOf } from '../graphql/fields.js';
import { mutation } from '../graphql/mutation.js';
import { uuidOf } from '../kernel/id.js';
import { listPage } from '../kernel/page.js';
import type { Metadata } from '../kernel/text.js';
import { archiveOrganization } from './archiveOrganization.js';
import { createOrganization } from './createOrganization.js';
import { organizationList } from './listOrganizations.js';
import { updateOrganization } from './updateOrganization.js';

export const organizationResolvers = {
  Query: {
    organization: (_, { id }, { loaders }) => loaders.organizationById.load(uuidOf('Organization', id)),
    organizations: (_, args, { request }) => listPage(request.db, organizationList(request, args), args),
  },
  Mutation: {
    createOrganization: mutation(createOrganization),
    updateOrganization: mutation(updateOrganization),
    archiveOrganization: mutation(archiveOrganization),
  },
  Organization: {
    id: idOf('Organization'),
    countryCode3Letter: ({ countryCode }) => countryCode,
    metadata: ({ metadata }) => metadata as Metadata,
    customers: ({ id }, args, { loaders }) => loaders.customersByOrganization.load({ parentId: id, args }),
  },
  CreateOrganizationPayload: {
    organization: ({ organizationId }, _, { loaders }) => found(loaders.organizationById, organizationId),
  },
  UpdateOrganizationPayload: {
    organization: ({ organizationId }, _, { loaders }) => found(loaders.organizationById, organizationId),
  },
  ArchiveOrganizationPayload: {
    organization: ({ organizationId }, _, { loaders }) => found(loaders.organizationById, organizationId),
  },
} satisfies Resolvers;
