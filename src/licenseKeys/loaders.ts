import DataLoader from 'dataloader';
import { loadMany, loadOne, loadPage } from '../graphql/batching.js';
import type { RequestContext } from '../kernel/requestContext.js';
import { keysEnded } from './keysEnded.js';
import { licenseKeyList } from './listLicenseKeys.js';
import { loadByBinding } from './loadByBinding.js';
import { poolStocks } from './poolStocks.js';
import { productIdsOfKeys } from './productIdsOfKeys.js';
import { revealKeys } from './revealKeys.js';

/** Keys by id, license and customer, what belongs to them, and their texts: reading one is recorded. Pools and their stocks. */
export function licenseKeyLoaders(ctx: RequestContext) {
  return {
    licenseKeyById: loadOne(ctx, 'LicenseKey'),
    licenseKeysByLicense: loadByBinding(ctx, 'LicenseKey'),
    isKeyEnded: keysEnded(ctx),
    licenseKeysByCustomer: loadPage(ctx, 'customerId', licenseKeyList),
    rotationsByKey: loadMany(ctx, 'LicenseKeyRotation', 'licenseKeyId'),
    productIdByKey: new DataLoader((ids: readonly string[]) => productIdsOfKeys(ctx, ids)),
    revealedKeyById: new DataLoader(async (ids: readonly string[]) => {
      const texts = await revealKeys(ctx, 'LicenseKey', ids);
      return ids.map((id) => texts.get(id) ?? null);
    }),
    licenseKeyPoolById: loadOne(ctx, 'LicenseKeyPool'),
    stockByPool: new DataLoader((ids: readonly string[]) => poolStocks(ctx, ids)),
  };
}
