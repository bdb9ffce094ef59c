import type { Resolvers } from '../generated/graphql.js';
import { found, idOf, required } from '../graphql/fields.js';
import { reads } from '../graphql/reads.js';
import { mutation } from '../graphql/mutation.js';
import { issueLoginToken } from './issueLoginToken.js';
import { redeemLoginToken } from './redeemLoginToken.js';

export const loginTokenResolvers = {
  Mutation: {
    issueLoginToken: mutation(issueLoginToken, { secretFields: ['url'] }),
    redeemLoginToken: mutation(redeemLoginToken),
  },
  LoginToken: {
    id: idOf('LoginToken'),
    customer: ({ customerId }, _, { loaders }) => required(loaders.customerById.load(customerId)),
    product: ({ productId }, _, { loaders }) => required(loaders.productById.load(productId)),
    testMode: ({ mode }) => mode === 'TEST',
  },
  AuthenticatedIdentity: {
    identifier: reads('Customer', ['number'], ({ number }) => number),
    countryCode3Letter: reads('Customer', ['countryCode'], ({ countryCode }) => countryCode),
  },
  IssueLoginTokenPayload: {
    loginToken: ({ loginTokenId }, _, { loaders }) => found(loaders.loginTokenById, loginTokenId),
    expiresAt: async ({ loginTokenId }, _, { loaders }) =>
      (await found(loaders.loginTokenById, loginTokenId))?.expiresAt ?? null,
  },
  RedeemLoginTokenPayload: {
    authenticatedIdentity: ({ customerId }, _, { loaders }) => found(loaders.customerById, customerId),
    loginToken: ({ loginTokenId }, _, { loaders }) => found(loaders.loginTokenById, loginTokenId),
  },
} satisfies Resolvers;
