import type { Principal, Resolvers } from '../generated/graphql.js';
import { idOf } from '../graphql/fields.js';
import { globalId, idPrefixes, type IdType } from '../kernel/id.js';

/** Changed fields as the API names their objects: `licenseKeyId` is the id of a LicenseKey. */
function withGlobalIds(fields: unknown): unknown {
  if (typeof fields !== 'object' || fields === null) return fields;
  return Object.fromEntries(
    Object.entries(fields).map(([name, value]: [string, unknown]) => {
      const type = name.charAt(0).toUpperCase() + name.slice(1, -2);
      const isId = name.endsWith('Id') && type in idPrefixes && typeof value === 'string';
      return [name, isId ? globalId(type as IdType, value) : value];
    }),
  );
}

export const eventResolvers = {
  Change: {
    id: idOf('Change'),
    before: ({ before }) => withGlobalIds(before),
    after: ({ after }) => withGlobalIds(after),
    objectId: ({ objectType, objectId }) => globalId(objectType as IdType, objectId),
    actorKind: ({ actorKind }) => (actorKind === 'SYSTEM' ? null : (actorKind as Principal)),
  },
} satisfies Resolvers;
