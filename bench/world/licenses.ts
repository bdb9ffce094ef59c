import type { Row } from '../copyInto.js';
import { numberOf, pick, times, worldId, type Business, type Tables } from './business.js';
import { licenseTypes, offeringOf, packageOf, termOf } from './catalog.js';

const DAY_MS = 86_400_000;
/** Prime, so that neighboring licenses are not of neighboring customers. */
const STRIDE = 7_919;

function statusOf(i: number): string {
  if (i % 20 === 3) return 'PAUSED';
  if (i % 25 === 4) return 'BLOCKED';
  return i % 20 === 7 ? 'CANCELLED' : 'ACTIVE';
}

/** The licenses came evenly over the two years before now; every fifth is of a package, the others of an offering. */
function licenseOf({ number, customers, licenses }: Business, now: Date, i: number): Row {
  const born = new Date(Math.round(now.getTime() - 730 * DAY_MS * (1 - i / licenses.count)));
  const from = new Date(Math.floor(born.getTime() / DAY_MS) * DAY_MS);
  const until = i % 10 > 0 ? new Date(from.getTime() + 365 * DAY_MS * (1 + (i % 3))) : null;
  const status = statusOf(i);
  const packaged = i % 5 === 0;
  return {
    businessId: worldId('business', number),
    mode: 'LIVE',
    id: worldId('license', licenses.before + i),
    number: numberOf('L', licenses.before + i),
    status,
    type: pick(licenseTypes, i),
    customerId: worldId('customer', customers.before + ((i * STRIDE) % customers.count)),
    productOfferingId: packaged ? null : offeringOf(number, i),
    packageId: packaged ? packageOf(number, i / 5) : null,
    subscriptionTypeId: packaged ? termOf(number, i) : null,
    validFrom: from,
    validUntil: until,
    activatedAt: from,
    pausedAt: status === 'PAUSED' ? born : null,
    cancelledAt: status === 'CANCELLED' ? born : null,
    expiredAt: until && until <= now && status !== 'CANCELLED' ? until : null,
    statusBeforeBlock: status === 'BLOCKED' ? 'ACTIVE' : null,
    amountMinor: packaged ? 1_990 : null,
    currency: packaged ? 'EUR' : null,
    tags: i % 8 === 0 ? ['renewed'] : [],
    metadata: '{"channel": "web"}',
    createdAt: born,
    updatedAt: born,
  };
}

export const licenseTables: Tables = {
  licenses: (business, now) => times(business.licenses.count, (i) => licenseOf(business, now, i)),
};
