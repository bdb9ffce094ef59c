import type { ProductKeyAccessCode, ProductKeyAccessReason } from '../generated/graphql.js';

/** What a code says; `schema/access.graphql` says the same to who reads the contract. */
const meanings: Readonly<Record<ProductKeyAccessCode, Omit<ProductKeyAccessReason, 'code'>>> = {
  KEY_BLANK: { message: 'There is no key: nothing but spaces and dashes.', remedy: 'Send the product key.' },
  KEY_TOO_LONG: {
    message: 'The key has more than 512 characters.',
    remedy: 'Send the key alone, without the text around it.',
  },
  KEY_NOT_FOUND: { message: 'There is no such product key here.', remedy: 'Check the key for typing errors.' },
  KEY_OF_OTHER_MODE: {
    message: 'The key belongs to the other mode than the API key.',
    remedy: 'Use an API key of its mode, or a product key of this mode.',
  },
  BRAND_MISMATCH: {
    message: 'The key belongs to another brand than `Brand-URL` names.',
    remedy: 'Ask with its own brand, or without the header.',
  },
  KEY_REPLACED: {
    message: 'The key was replaced by another one, and the time in which the old one still worked is over.',
    remedy: 'Use the new key.',
  },
  KEY_SCHEDULED: { message: "The key's start lies in the future.", remedy: 'Wait for its start.' },
  KEY_DISABLED: { message: 'The key was switched off.', remedy: 'Ask the vendor why.' },
  KEY_UNPAID: {
    message: 'The key was switched off because a payment failed.',
    remedy: 'Pay; it works again then.',
  },
  KEY_CANCELLED: { message: 'The key was cancelled.', remedy: 'Get a new one.' },
  KEY_EXPIRED: { message: 'The key has expired.', remedy: 'Get a new one.' },
  PRODUCT_NOT_FOUND: {
    message: 'The vendor has no product with this SKU.',
    remedy: 'Check the SKU that the gateway asks with.',
  },
  PRODUCT_MISMATCH: { message: 'The key is not for this product.', remedy: 'Use a key of this product.' },
  CONSUMER_REQUIRED: {
    message: 'The product is only for named consumers, and none was told.',
    remedy: 'Send `consumerEmail` or `organizationId`.',
  },
  CONSUMER_NOT_NAMED: {
    message: 'The key does not name this consumer, nor the organization that the consumer belongs to.',
    remedy: "Add the address to the key's `namedConsumers`.",
  },
  ORGANIZATION_NOT_NAMED: {
    message: 'The key does not name this organization. The same for organizations that do not exist.',
    remedy: "Add it to the key's `namedOrganizations`.",
  },
  QUOTA_EXHAUSTED: {
    message: 'The quota of this period is used up.',
    remedy: 'Wait for the next period, or ask for a larger quota.',
  },
};

/** Every code, in the order in which reasons are told. */
export const accessCodes = Object.keys(meanings) as ProductKeyAccessCode[];

/** Reasons as callers see them, in the order of their codes, each once. */
export function reasonsOf(codes: ReadonlySet<ProductKeyAccessCode>): ProductKeyAccessReason[] {
  return accessCodes.filter((code) => codes.has(code)).map((code) => ({ code, ...meanings[code] }));
}
