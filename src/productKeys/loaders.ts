import DataLoader from 'dataloader';
import { loadMany, loadOne, loadPage } from '../graphql/batching.js';
import type { RequestContext } from '../kernel/requestContext.js';
import { revealKeys } from '../licenseKeys/revealKeys.js';
import { productKeyList } from './listProductKeys.js';
import { addressesByKey, namedByKey } from './loadNamed.js';
import { paymentsByKey } from './loadPayments.js';

/** Product keys by id, number and customer, what belongs to them, and their texts: reading one is recorded. */
export function productKeyLoaders(ctx: RequestContext) {
  return {
    productKeyById: loadOne(ctx, 'ProductKey'),
    productKeysByCustomer: loadPage(ctx, 'customerId', productKeyList),
    meterByProductKey: loadOne(ctx, 'ProductKeyMeter'),
    rotationsByProductKey: loadMany(ctx, 'ProductKeyRotation', 'productKeyId'),
    paymentById: loadOne(ctx, 'ProductKeyPayment'),
    paymentsByProductKey: paymentsByKey(ctx),
    productIdsByProductKey: namedByKey(ctx, 'product_key_products', 'product_id'),
    applicationIdsByProductKey: namedByKey(ctx, 'product_key_applications', 'application_id'),
    organizationIdsByProductKey: namedByKey(ctx, 'product_key_organizations', 'organization_id'),
    consumersByProductKey: addressesByKey(ctx, 'CONSUMER'),
    creationAddressesByProductKey: addressesByKey(ctx, 'CREATION_NOTICE'),
    quotaAddressesByProductKey: addressesByKey(ctx, 'QUOTA_NOTICE'),
    revealedProductKeyById: new DataLoader(async (ids: readonly string[]) => {
      const texts = await revealKeys(ctx, 'ProductKey', ids);
      return ids.map((id) => texts.get(id) ?? null);
    }),
  };
}
