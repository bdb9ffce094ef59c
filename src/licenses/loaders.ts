import { loadMany, loadOne, loadPage } from '../graphql/batching.js';
import type { RequestContext } from '../kernel/requestContext.js';
import { loadByBinding } from '../licenseKeys/loadByBinding.js';
import { loadOfferingOptions } from './loadOfferingOptions.js';
import { licenseList, licensesOfOrderList } from './listLicenses.js';

/** Licenses by id, a customer's and an order's, and those that hung or hang on a key. */
export function licenseLoaders(ctx: RequestContext) {
  return {
    licenseById: loadOne(ctx, 'License'),
    licensesByCustomer: loadPage(ctx, 'customerId', licenseList),
    licensesByOrder: loadPage(ctx, 'orderId', licensesOfOrderList),
    licensesByKey: loadByBinding(ctx, 'License'),
    licensesByRenewal: loadMany(ctx, 'License', 'renewalId'),
    productOfferingOptions: loadOfferingOptions(ctx),
  };
}
