import DataLoader from 'dataloader';
import { loadMany, loadOne, loadPage } from '../graphql/batching.js';
import type { RequestContext } from '../kernel/requestContext.js';
import { discountCodeList } from './listDiscountCodes.js';
import { redemptionList } from './listRedemptions.js';
import { loadBatches, loadIdsByCode, loadUses } from './loadUses.js';

/** Discounts by id and code, their codes and what was redeemed: of a discount, by a customer, with an order. */
export function discountLoaders(ctx: RequestContext) {
  return {
    discountById: loadOne(ctx, 'Discount'),
    discountIdByCodeKey: new DataLoader((keys: readonly string[]) => loadIdsByCode(ctx, keys)),
    discountCodeById: loadOne(ctx, 'DiscountCode'),
    discountRedemptionById: loadOne(ctx, 'DiscountRedemption'),
    codesByDiscount: loadPage(ctx, 'discountId', discountCodeList),
    codesByBatch: new DataLoader((ids: readonly string[]) => loadBatches(ctx, ids)),
    redemptionsByDiscount: loadPage(ctx, 'discountId', redemptionList),
    redemptionsByCustomer: loadPage(ctx, 'customerId', redemptionList),
    redemptionsByOrder: loadMany(ctx, 'DiscountRedemption', 'orderId', 't.position'),
    usesByDiscount: new DataLoader((ids: readonly string[]) => loadUses(ctx, 'discount_id', ids)),
    usesByDiscountCode: new DataLoader((ids: readonly string[]) => loadUses(ctx, 'discount_code_id', ids)),
  };
}
