import { randomUUID } from 'node:crypto';
import type { Client } from 'pg';
import type { Tenant } from '../src/kernel/requestContext.js';
import type { Keyring } from '../src/kernel/secret.js';
import { currentKeyHmac, type KeyHmac } from '../src/licenseKeys/keyHmacs.js';
import { copyInto } from './copyInto.js';
import { numberOf, worldId } from './world/business.js';

/** A product key that may be used, with more quota than any run uses. */
export interface BenchProductKey {
  readonly id: string;
  readonly key: string;
}

/** SKU of the product that they are for. */
export const PRODUCT_SKU = 'SKU-0';

/** Product keys of the first business, in live mode. */
export async function loadProductKeys(
  db: Client,
  keyring: Keyring,
  now: Date,
  count: number,
): Promise<BenchProductKey[]> {
  const tenant = { businessId: worldId('business', 0), mode: 'LIVE' } as const;
  const keys = Array.from({ length: count }, () => ({ id: randomUUID(), key: randomUUID().toUpperCase() }));
  const rows = keys.map(({ id, key }, i) =>
    productKeyRows(tenant, id, currentKeyHmac(keyring, tenant, key), i + 1, now),
  );
  for (const table of ['productKeys', 'productKeyMeters', 'productKeyLookups', 'productKeyProducts'] as const) {
    await copyInto(
      db,
      table,
      rows.map((its) => its[table]),
    );
  }
  return keys;
}

/** What one of them has in each table. */
function productKeyRows(tenant: Tenant, id: string, hmac: KeyHmac, n: number, now: Date) {
  const inAYear = new Date(now);
  inAYear.setUTCFullYear(now.getUTCFullYear() + 1);
  return {
    productKeys: {
      ...tenant,
      id,
      number: numberOf('P', n),
      status: 'ACTIVE',
      customerId: worldId('customer', 0),
      description: 'Bench',
      keyCiphertext: '',
      last4: 'XXXX',
      startsAt: now,
      notifyCreatorOnCreation: false,
      notifyOwnerOnQuotaThreshold: false,
      notifyOnTrialExpiry: false,
      disableOnPaymentFailed: false,
      allowMidPeriodCancellation: false,
      tags: [],
      metadata: '{}',
      createdAt: now,
      updatedAt: now,
    },
    productKeyMeters: {
      ...tenant,
      id,
      quota: 1_000_000_000_000,
      overQuota: 'BLOCK',
      consumed: 0,
      quotaPeriod: 'YEAR',
      quotaAnchor: 'ANNIVERSARY',
      periodStartsAt: now,
      periodEndsAt: inAYear,
      threshold: 90_000,
    },
    productKeyLookups: { ...tenant, ...hmac, productKeyId: id },
    productKeyProducts: { ...tenant, productKeyId: id, productId: worldId('product', 0), position: 0 },
  };
}
