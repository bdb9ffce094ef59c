import type { Resolvers, Scope } from '../generated/graphql.js';
import { mutation } from '../graphql/mutation.js';
import { found, idOf, required } from '../graphql/fields.js';
import { uuidOf } from '../kernel/id.js';
import { listPage } from '../kernel/page.js';
import { tenantOf } from '../kernel/requestContext.js';
import { createApiKey } from './createApiKey.js';
import { createBrand } from './createBrand.js';
import { createBusiness } from './createBusiness.js';
import { issueCustomerSession } from './issueCustomerSession.js';
import { apiKeyList } from './listApiKeys.js';
import { brandList } from './listBrands.js';
import { revokeApiKey } from './revokeApiKey.js';
import { revokeCustomerSession } from './revokeCustomerSession.js';
import { updateBrand } from './updateBrand.js';
import { updateBusiness } from './updateBusiness.js';

export const accountResolvers = {
  Query: {
    business: (_, _args, { request, loaders }) => required(loaders.businessById.load(tenantOf(request).businessId)),
    brand: (_, { id }, { loaders }) => loaders.brandById.load(uuidOf('Brand', id)),
    brands: (_, args, { request }) => listPage(request.db, brandList(request, args), args),
    apiKeys: (_, args, { request }) => listPage(request.db, apiKeyList(request, args), args),
  },
  Mutation: {
    createBusiness: mutation(createBusiness, { secretFields: ['liveToken', 'testToken'] }),
    createBrand: mutation(createBrand),
    updateBusiness: mutation(updateBusiness),
    updateBrand: mutation(updateBrand),
    createApiKey: mutation(createApiKey, { secretFields: ['token'] }),
    revokeApiKey: mutation(revokeApiKey),
    issueCustomerSession: mutation(issueCustomerSession, { secretFields: ['token'] }),
    revokeCustomerSession: mutation(revokeCustomerSession),
  },
  Business: {
    id: idOf('Business'),
    defaultCurrencyCode: ({ defaultCurrency }) => defaultCurrency,
    brands: ({ id }, _, { loaders }) => loaders.brandsByBusiness.load(id),
  },
  Brand: { id: idOf('Brand') },
  ApiKey: { id: idOf('ApiKey'), scopes: ({ scopes }) => scopes as Scope[] },
  CustomerSession: {
    id: idOf('CustomerSession'),
    customer: ({ customerId }, _, { loaders }) => required(loaders.customerById.load(customerId)),
  },
  CreateBusinessPayload: { business: ({ businessId }, _, { loaders }) => found(loaders.businessById, businessId) },
  CreateBrandPayload: { brand: ({ brandId }, _, { loaders }) => found(loaders.brandById, brandId) },
  UpdateBusinessPayload: { business: ({ businessId }, _, { loaders }) => found(loaders.businessById, businessId) },
  UpdateBrandPayload: { brand: ({ brandId }, _, { loaders }) => found(loaders.brandById, brandId) },
  CreateApiKeyPayload: { apiKey: ({ apiKeyId }, _, { loaders }) => found(loaders.apiKeyById, apiKeyId) },
  RevokeApiKeyPayload: { apiKey: ({ apiKeyId }, _, { loaders }) => found(loaders.apiKeyById, apiKeyId) },
  IssueCustomerSessionPayload: {
    customerSession: ({ customerSessionId }, _, { loaders }) => found(loaders.customerSessionById, customerSessionId),
  },
  RevokeCustomerSessionPayload: {
    customerSession: ({ customerSessionId }, _, { loaders }) => found(loaders.customerSessionById, customerSessionId),
  },
} satisfies Resolvers;
