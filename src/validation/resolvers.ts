import type { Resolvers } from '../generated/graphql.js';
import { validateLicenseKey, validateLicenseKeys } from './validateLicenseKeys.js';

export const validationResolvers = {
  Query: {
    validateLicenseKey: (_, { input }, { request }) => validateLicenseKey(request, input),
    validateLicenseKeys: (_, { inputs }, { request }) => validateLicenseKeys(request, inputs),
  },
} satisfies Resolvers;
