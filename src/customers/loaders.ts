import { loadOne, loadPage } from '../graphql/batching.js';
import type { RequestContext } from '../kernel/requestContext.js';
import { customerList } from './listCustomers.js';

/** Customers by id, and an organization's. */
export function customerLoaders(ctx: RequestContext) {
  return {
    customerById: loadOne(ctx, 'Customer'),
    customersByOrganization: loadPage(ctx, 'organizationId', customerList),
  };
}
