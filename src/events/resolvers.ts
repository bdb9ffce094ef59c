import type { Principal, Resolvers } from '../generated/graphql.js';
import { idOf } from '../graphql/fields.js';
import { globalId, type IdType } from '../kernel/id.js';

export const eventResolvers = {
  Change: {
    id: idOf('Change'),
    objectId: ({ objectType, objectId }) => globalId(objectType as IdType, objectId),
    actorKind: ({ actorKind }) => (actorKind === 'SYSTEM' ? null : (actorKind as Principal)),
  },
} satisfies Resolvers;
