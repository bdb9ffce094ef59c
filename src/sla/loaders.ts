import { loadOne, loadPage } from '../graphql/batching.js';
import type { RequestContext } from '../kernel/requestContext.js';
import { slaBreachList } from './listSlaBreaches.js';
import { breachesByTransaction, creditsByBreach, slasByKey } from './loadSlas.js';
import { complianceByKey } from './slaCompliance.js';

/** SLAs of product keys, their breaches with what those gave back, and how promises were kept. */
export function slaLoaders(ctx: RequestContext) {
  return {
    slasByProductKey: slasByKey(ctx),
    slaBreachById: loadOne(ctx, 'SlaBreach'),
    slaBreachesByProductKey: loadPage(ctx, 'productKeyId', slaBreachList),
    creditsBySlaBreach: creditsByBreach(ctx),
    slaBreachIdsByTransaction: breachesByTransaction(ctx),
    slaComplianceByProductKey: complianceByKey(ctx),
  };
}
