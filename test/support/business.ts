import { randomUUID } from 'node:crypto';
import { adminToken, type Api } from './api.js';

/** A business made through the API, with its tokens for both modes: every scope. */
export interface TestBusiness {
  id: string;
  brandId: string;
  brandUrl: string;
  live: string;
  test: string;
}

/** Creates a business of its own for a test, so that tests of one file do not see each other's rows. */
export async function newBusiness(api: Api, fields: Record<string, unknown> = {}): Promise<TestBusiness> {
  const brandUrl = `${randomUUID()}.example.com`;
  const { createBusiness } = await api.data({
    token: adminToken,
    query: `mutation ($input: CreateBusinessInput!) {
      createBusiness(input: $input) { business { id brands { id } } liveToken testToken userErrors { message } }
    }`,
    variables: { input: { name: 'Acme Software', brandUrl, ...fields } },
  });
  return {
    id: createBusiness.business.id,
    brandId: createBusiness.business.brands[0].id,
    brandUrl,
    live: createBusiness.liveToken,
    test: createBusiness.testToken,
  };
}

/** An API key of the same business and mode with these scopes only. */
export async function newApiKey(api: Api, token: string, scopes: string[]): Promise<string> {
  const { createApiKey } = await api.data({
    token,
    query: `mutation ($input: CreateApiKeyInput!) { createApiKey(input: $input) { token userErrors { message } } }`,
    variables: { input: { name: 'Narrow', scopes } },
  });
  return createApiKey.token;
}

/** Id of a new customer; fields as `createCustomer` takes them. */
export async function newCustomer(api: Api, token: string, fields: Record<string, unknown> = {}): Promise<string> {
  const { createCustomer } = await api.data({
    token,
    query: `mutation ($input: CreateCustomerInput!) { createCustomer(input: $input) { customer { id } userErrors { message } } }`,
    variables: { input: { firstName: 'Erika', lastName: 'Mustermann', ...fields } },
  });
  return createCustomer.customer.id;
}

/** Id of a new organization; fields as `createOrganization` takes them. */
export async function newOrganization(api: Api, token: string, fields: Record<string, unknown> = {}): Promise<string> {
  const { createOrganization } = await api.data({
    token,
    query: `mutation ($input: CreateOrganizationInput!) { createOrganization(input: $input) { organization { id } userErrors { message } } }`,
    variables: { input: { name: 'Muster GmbH', ...fields } },
  });
  return createOrganization.organization.id;
}

/** A session's token for a customer. */
export async function newSession(api: Api, token: string, customerId: string): Promise<string> {
  const { issueCustomerSession } = await api.data({
    token,
    query: `mutation ($input: IssueCustomerSessionInput!) { issueCustomerSession(input: $input) { token userErrors { message } } }`,
    variables: { input: { customerId } },
  });
  return issueCustomerSession.token;
}

/** The URL with which a customer enters a product's service. */
export async function newLoginToken(
  api: Api,
  token: string,
  input: { customerId: string; productId: string },
): Promise<string> {
  const { issueLoginToken } = await api.data({
    token,
    query: `mutation ($input: IssueLoginTokenInput!) { issueLoginToken(input: $input) { url userErrors { message } } }`,
    variables: { input },
  });
  return issueLoginToken.url;
}
