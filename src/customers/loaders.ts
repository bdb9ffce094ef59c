import { loadOne, loadPage } from '../graphql/batching.js';
import type { Columns } from '../kernel/columns.js';
import type { RequestContext } from '../kernel/requestContext.js';
import { customerList } from './listCustomers.js';

/** Customers by id, and an organization's. */
export function customerLoaders(ctx: RequestContext, columns: Columns) {
  return {
    customerById: loadOne(ctx, 'Customer', columns.Customer),
    customersByOrganization: loadPage(ctx, 'organizationId', customerList, columns.Customer),
  };
}
