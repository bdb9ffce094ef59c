import { expect, test } from '@jest/globals';
import {
  entitlementsOf,
  entitlementsOfOffering,
  entitlementsOfPackage,
} from '../../src/entitlements/entitlementsOf.js';
import { parseGlobalId } from '../../src/kernel/id.js';
import type { RequestContext } from '../../src/kernel/requestContext.js';
import { inSqlTransaction, type SqlTx } from '../../src/kernel/transaction.js';
import { useApi } from '../support/api.js';
import { newBusiness } from '../support/business.js';
import { attachEntitlement, newEntitlement, newPackage, newProduct, newProductOffering } from '../support/catalog.js';

const api = useApi();
const uuid = (id: string) => parseGlobalId(id)!.uuid;

/** What a step gives inside a transaction of a business, by name; and how many statements it took. */
async function namesFrom(businessId: string, step: (tx: SqlTx) => Promise<{ name: string }[]>): Promise<string[]> {
  const viewer = { principal: 'SYSTEM', businessId: uuid(businessId), mode: 'LIVE', brandId: null } as const;
  const ctx = { db: api.db, viewer, now: new Date(), idempotency: null } as unknown as RequestContext;
  let statements = 0;
  const { names } = await inSqlTransaction(ctx, async (tx) => {
    const counting: SqlTx = {
      ...tx,
      sql: (name, text, values) => {
        statements++;
        return tx.sql(name, text, values);
      },
    };
    return { names: (await step(counting)).map(({ name }) => name) };
  });
  expect(statements).toBe(1);
  return names;
}

test('entitlements of product, offering and package are united, each once, without archived ones, in one statement', async () => {
  const { id: businessId, live } = await newBusiness(api);
  const productId = await newProduct(api, live);
  const bundledProductId = await newProduct(api, live);
  const productOfferingId = await newProductOffering(api, live, { productId: bundledProductId });
  const ownOffering = await newProductOffering(api, live, { productId });
  const packageId = await newPackage(api, live, {
    primaryProductId: productId,
    productOfferingIds: [productOfferingId],
  });
  const attach = async (minute: number, name: string, target: Parameters<typeof attachEntitlement>[2]['target']) => {
    api.setNow(new Date(Date.UTC(2026, 2, 1, 10, minute)));
    return attachEntitlement(api, live, { target, name });
  };
  await attach(5, 'of the package', { packageId });
  const shared = await attach(4, 'of product and package', { packageId });
  await attachEntitlement(api, live, { target: { productId }, entitlementId: shared });
  await attach(3, 'of the offering that comes with it', { productOfferingId });
  await attach(2, 'of the product', { productId });
  await attach(1, "of the offering's product", { productId: bundledProductId });
  await attach(6, "of the product's offering", { productOfferingId: ownOffering });
  const archived = await attach(0, 'archived', { productId });
  await newEntitlement(api, live, { name: 'attached to nothing' });
  api.setNow(null);
  await api.db.sql(null, 'UPDATE entitlements SET archived_at = created_at WHERE id = $1', [uuid(archived)]);

  const ofPackage = [
    'of the product',
    'of the offering that comes with it',
    'of product and package',
    'of the package',
  ];
  expect(await namesFrom(businessId, (tx) => entitlementsOfPackage(tx, uuid(packageId)))).toEqual(ofPackage);
  expect(await namesFrom(businessId, (tx) => entitlementsOfOffering(tx, uuid(ownOffering)))).toEqual([
    'of the product',
    'of product and package',
    "of the product's offering",
  ]);
  expect(await namesFrom(businessId, (tx) => entitlementsOfOffering(tx, uuid(productOfferingId)))).toEqual([
    "of the offering's product",
    'of the offering that comes with it',
  ]);
  const of = {
    productIds: [uuid(productId)],
    productOfferingIds: [uuid(productOfferingId)],
    packageIds: [uuid(packageId)],
  };
  expect(await namesFrom(businessId, (tx) => entitlementsOf(tx, of))).toEqual(ofPackage);
  const none = { productIds: [], productOfferingIds: [], packageIds: [] };
  expect(await namesFrom(businessId, (tx) => entitlementsOf(tx, none))).toEqual([]);

  const other = await newBusiness(api);
  expect(await namesFrom(other.id, (tx) => entitlementsOf(tx, of))).toEqual([]);
  expect(await namesFrom(other.id, (tx) => entitlementsOfPackage(tx, uuid(packageId)))).toEqual([]);
  expect(await namesFrom(other.id, (tx) => entitlementsOfOffering(tx, uuid(ownOffering)))).toEqual([]);
});
