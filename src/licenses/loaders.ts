import { loadMany, loadOne, loadPage } from '../graphql/batching.js';
import type { Columns } from '../kernel/columns.js';
import type { RequestContext } from '../kernel/requestContext.js';
import { loadByBinding } from '../licenseKeys/loadByBinding.js';
import { loadOfferingOptions } from './loadOfferingOptions.js';
import { licenseList, licensesOfOrderList } from './listLicenses.js';

/** Licenses by id, a customer's and an order's, and those that hung or hang on a key. */
export function licenseLoaders(ctx: RequestContext, columns: Columns) {
  return {
    licenseById: loadOne(ctx, 'License', columns.License),
    licensesByCustomer: loadPage(ctx, 'customerId', licenseList, columns.License),
    licensesByOrder: loadPage(ctx, 'orderId', licensesOfOrderList, columns.License),
    licensesByKey: loadByBinding(ctx, 'License'),
    licensesByRenewal: loadMany(ctx, 'License', 'renewalId'),
    productOfferingOptions: loadOfferingOptions(ctx),
  };
}
