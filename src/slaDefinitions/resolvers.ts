import type { Resolvers } from '../generated/graphql.js';
import { found, idOf, required } from '../graphql/fields.js';
import { mutation } from '../graphql/mutation.js';
import { uuidOf } from '../kernel/id.js';
import { moneyOf } from '../kernel/money.js';
import { listPage } from '../kernel/page.js';
import type { Metadata } from '../kernel/text.js';
import { archiveSlaDefinition } from './archiveSlaDefinition.js';
import { createSlaDefinition } from './createSlaDefinition.js';
import { slaDefinitionList } from './listSlaDefinitions.js';
import { availabilityOf, responseTimeOf, supportHoursOf } from './promises.js';
import { penaltiesOf } from './terms.js';
import { updateSlaDefinition } from './updateSlaDefinition.js';

export const slaDefinitionResolvers = {
  Query: {
    slaDefinition: (_, { id }, { loaders }) => loaders.slaDefinitionById.load(uuidOf('SlaDefinition', id)),
    slaDefinitions: (_, args, { request }) => listPage(request.db, slaDefinitionList(request, args), args),
  },
  Mutation: {
    createSlaDefinition: mutation(createSlaDefinition),
    updateSlaDefinition: mutation(updateSlaDefinition),
    archiveSlaDefinition: mutation(archiveSlaDefinition),
  },
  SlaDefinition: {
    id: idOf('SlaDefinition'),
    currentVersion: ({ currentVersionId }, _, { loaders }) => required(loaders.slaVersionById.load(currentVersionId)),
    versions: ({ id }, args, { loaders }) => loaders.versionsBySlaDefinition.load({ parentId: id, args }),
    metadata: ({ metadata }) => metadata as Metadata,
    testMode: ({ mode }) => mode === 'TEST',
  },
  SlaDefinitionVersion: {
    id: idOf('SlaDefinitionVersion'),
    definition: ({ slaDefinitionId }, _, { loaders }) => required(loaders.slaDefinitionById.load(slaDefinitionId)),
    availability: (version) => availabilityOf(version),
    responseTime: (version) => responseTimeOf(version),
    supportHours: (version) => supportHoursOf(version),
    penalties: (version) => penaltiesOf(version),
  },
  SlaPenalty: {
    creditBasisPoints: ({ basisPoints }) => basisPoints,
    creditAmount: ({ amountMinor, currency }) =>
      amountMinor === null || currency === null ? null : moneyOf(BigInt(amountMinor), currency),
  },
  CreateSlaDefinitionPayload: {
    slaDefinition: ({ slaDefinitionId }, _, { loaders }) => found(loaders.slaDefinitionById, slaDefinitionId),
  },
  UpdateSlaDefinitionPayload: {
    slaDefinition: ({ slaDefinitionId }, _, { loaders }) => found(loaders.slaDefinitionById, slaDefinitionId),
  },
  ArchiveSlaDefinitionPayload: {
    slaDefinition: ({ slaDefinitionId }, _, { loaders }) => found(loaders.slaDefinitionById, slaDefinitionId),
  },
} satisfies Resolvers;
