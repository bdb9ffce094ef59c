import { loadMany, loadOne, loadPage } from '../graphql/batching.js';
import type { RequestContext } from '../kernel/requestContext.js';
import { orderList } from './listOrders.js';

/** Orders and their lines by id, a customer's orders and an order's lines. */
export function orderLoaders(ctx: RequestContext) {
  return {
    orderById: loadOne(ctx, 'Order'),
    ordersByCustomer: loadPage(ctx, 'customerId', orderList),
    orderLineById: loadOne(ctx, 'OrderLine'),
    linesByOrder: loadMany(ctx, 'OrderLine', 'orderId', 't.position'),
  };
}
