import { loadMany, loadOne, loadPage } from '../graphql/batching.js';
import type { RequestContext } from '../kernel/requestContext.js';
import { grantList } from './listGrants.js';

/** Grants by id, by license and by license key, and a customer's. */
export function grantLoaders(ctx: RequestContext) {
  return {
    grantById: loadOne(ctx, 'Grant'),
    grantsByKey: loadMany(ctx, 'Grant', 'licenseKeyId'),
    grantsByLicense: loadMany(ctx, 'Grant', 'licenseId'),
    grantsByCustomer: loadPage(ctx, 'customerId', grantList),
  };
}
