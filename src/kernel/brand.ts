import type { Condition } from './condition.js';
import { refusal } from './refusal.js';
import { tenantViewer, type RequestContext } from './requestContext.js';

/**
 * Refuses objects of two brands in one operation, and a `Brand-URL` that names another brand than theirs.
 * @param objects what takes part: its brand, and where the input names it
 * @throws Refusal BrandMismatch at the first object that differs
 */
export function refuseOtherBrands(
  ctx: RequestContext,
  ...objects: { brandId: string; path: readonly string[] }[]
): void {
  const brandId = tenantViewer(ctx).brandId ?? objects[0]?.brandId;
  const other = objects.find((object) => object.brandId !== brandId);
  if (!other) return;
  const message = 'This belongs to another brand. Use objects of one brand, and its URL in `Brand-URL`.';
  throw refusal('BrandMismatch', other.path, message);
}

/**
 * Conditions for lists of what belongs to a customer: with `Brand-URL`, only what that brand's customers have.
 */
export function inBrand(ctx: RequestContext): Condition[] {
  const { brandId } = tenantViewer(ctx);
  if (brandId === null) return [];
  const customer = 'c.business_id = t.business_id AND c.mode = t.mode AND c.id = t.customer_id';
  return [(place) => `EXISTS (SELECT 1 FROM customers c WHERE ${customer} AND c.brand_id = ${place(brandId)})`];
}
