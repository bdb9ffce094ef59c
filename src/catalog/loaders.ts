import { loadMany, loadOne, loadPage, loadThrough } from '../graphql/batching.js';
import type { Columns } from '../kernel/columns.js';
import type { RequestContext } from '../kernel/requestContext.js';
import { productOfferingList } from './listProductOfferings.js';
import { productVersionList } from './listProductVersions.js';
import { loadLatestVersionNames } from './loadLatestVersionNames.js';

/** The catalog by id, and what hangs together in it. */
export function catalogLoaders(ctx: RequestContext, columns: Columns) {
  return {
    productById: loadOne(ctx, 'Product'),
    productOfferingById: loadOne(ctx, 'ProductOffering', columns.ProductOffering),
    packageById: loadOne(ctx, 'Package'),
    subscriptionTypeById: loadOne(ctx, 'SubscriptionType'),
    packagePriceById: loadOne(ctx, 'PackagePrice'),
    offeringsBySuperseded: loadMany(ctx, 'ProductOffering', 'supersedesId'),
    productVersionById: loadOne(ctx, 'ProductVersion'),
    productVersionsByProduct: loadPage(ctx, 'productId', productVersionList),
    latestVersionNameByProduct: loadLatestVersionNames(ctx),
    productOfferingsByProduct: loadPage(ctx, 'productId', productOfferingList, columns.ProductOffering),
    offeringsByPackage: loadThrough(ctx, 'ProductOffering', {
      table: 'package_offerings',
      parent: 'package_id',
      child: 'product_offering_id',
      order: 't.created_at, t.id',
    }),
    pricesByPackage: loadMany(ctx, 'PackagePrice', 'packageId', 't.created_at, t.id', 't.archived_at IS NULL'),
  };
}
