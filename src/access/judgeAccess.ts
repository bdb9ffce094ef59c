import type { ProductKeyAccessCode } from '../generated/graphql.js';
import type { ProductAudience, ProductKeyDisabling, ProductKeyMeter } from '../generated/prisma/client.js';
import { statusOf, type ProductKeyLife } from '../productKeys/life.js';
import { isOpen } from '../productKeys/meter.js';

/** Who wants to use a product. */
export interface Consumer {
  readonly email: string | null;
  readonly organizationId: string | null;
}

/** What is known of the product that was asked for. */
export interface ProductFacts {
  /** Null: there is no such product. */
  readonly audience: ProductAudience | null;
  readonly isForProduct: boolean;
  /** Null: nobody needs to be named, or no address was given. */
  readonly isConsumerNamed: boolean | null;
  readonly isOrganizationNamed: boolean | null;
}

/** What is known of the key that was asked about. */
export interface KeyFacts extends ProductKeyLife {
  readonly disabledBy: ProductKeyDisabling | null;
  readonly graceUntil: Date | null;
}

/** Every reason why somebody may not use a product by a key now. @param meter as it is now */
export function judgeAccess(
  key: KeyFacts,
  meter: ProductKeyMeter,
  product: ProductFacts,
  consumer: Consumer,
  now: Date,
): ProductKeyAccessCode[] {
  return [...judgeKey(key, now), ...judgeProduct(product), ...judgeConsumer(product, consumer), ...judgeQuota(meter)];
}

function judgeKey(key: KeyFacts, now: Date): ProductKeyAccessCode[] {
  const codes: ProductKeyAccessCode[] = key.graceUntil && key.graceUntil <= now ? ['KEY_REPLACED'] : [];
  switch (statusOf(key, now)) {
    case 'TRIALING':
    case 'ACTIVE':
      return codes;
    case 'SCHEDULED':
      return [...codes, 'KEY_SCHEDULED'];
    case 'DISABLED':
      return [...codes, key.disabledBy === 'PAYMENT' ? 'KEY_UNPAID' : 'KEY_DISABLED'];
    case 'CANCELLED':
      return [...codes, 'KEY_CANCELLED'];
    case 'EXPIRED':
      return [...codes, 'KEY_EXPIRED'];
  }
}

function judgeProduct({ audience, isForProduct }: ProductFacts): ProductKeyAccessCode[] {
  if (audience === null) return ['PRODUCT_NOT_FOUND'];
  return isForProduct ? [] : ['PRODUCT_MISMATCH'];
}

/** One named consumer or organization is enough; of a product that the key is not for, nothing more is told. */
function judgeConsumer(product: ProductFacts, { email, organizationId }: Consumer): ProductKeyAccessCode[] {
  if (product.audience !== 'NAMED' || !product.isForProduct) return [];
  if (email === null && organizationId === null) return ['CONSUMER_REQUIRED'];
  if (product.isConsumerNamed || product.isOrganizationNamed) return [];
  const codes: ProductKeyAccessCode[] = email === null ? [] : ['CONSUMER_NOT_NAMED'];
  return organizationId === null ? codes : [...codes, 'ORGANIZATION_NOT_NAMED'];
}

function judgeQuota(meter: ProductKeyMeter): ProductKeyAccessCode[] {
  return isOpen(meter) ? [] : ['QUOTA_EXHAUSTED'];
}
