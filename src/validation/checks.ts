import type { LicenseKeyCheck, LicenseKeyCheckCode } from '../generated/graphql.js';

/** What a check's code says; `schema/validation.graphql` says the same to who reads the contract. */
const meanings: Readonly<Record<LicenseKeyCheckCode, Omit<LicenseKeyCheck, 'code'>>> = {
  KEY_BLANK: {
    severity: 'ERROR',
    message: 'There is no key: nothing but spaces and dashes.',
    remedy: 'Enter the license key.',
  },
  KEY_TOO_LONG: {
    severity: 'ERROR',
    message: 'The key has more than 512 characters.',
    remedy: 'Enter the key alone, without the text around it.',
  },
  KEY_MALFORMED: {
    severity: 'ERROR',
    message:
      "The key has the form of this vendor's generated keys, but was mistyped: its check character or its length is wrong. It was not looked up.",
    remedy: 'Compare it with the mail that it came in and correct the typing error.',
  },
  KEY_NOT_FOUND: {
    severity: 'ERROR',
    message: 'There is no such key here.',
    remedy: "Check the key for typing errors, and that it is this vendor's.",
  },
  KEY_NOT_ISSUED: {
    severity: 'ERROR',
    message: 'The key lies in a pool and has been given to nobody yet.',
    remedy: 'Ask the vendor how you came to have it.',
  },
  KEY_OF_TEST_MODE: {
    severity: 'ERROR',
    message: 'The key is test data, and live data was asked for.',
    remedy: 'Use a live key, or ask with `testMode: true`.',
  },
  KEY_OF_LIVE_MODE: {
    severity: 'ERROR',
    message: 'The key is live data, and test data was asked for.',
    remedy: 'Use a test key, or ask without `testMode`.',
  },
  BRAND_MISMATCH: {
    severity: 'ERROR',
    message: 'The key belongs to another brand of the vendor than `Brand-URL` names.',
    remedy: 'Use the program of the brand that the key was bought from.',
  },
  KEY_NOT_YET_CREATED: {
    severity: 'ERROR',
    message: 'At the instant that was asked about, the key did not exist yet.',
    remedy: 'Ask about a later instant.',
  },
  KEY_DISABLED: { severity: 'ERROR', message: 'The key was switched off.', remedy: 'Ask the vendor for a new key.' },
  KEY_EXPIRED: {
    severity: 'ERROR',
    message: 'The key has stopped working by itself.',
    remedy: 'Renew it, or ask the vendor for a new key.',
  },
  KEY_EXPIRES_SOON: {
    severity: 'WARNING',
    message: 'The key stops working within seven days.',
    remedy: 'Renew it in time.',
  },
  KEY_REPLACED: {
    severity: 'ERROR',
    message: 'The key was replaced by another one, and the time in which the old one still worked is over.',
    remedy: 'Enter the new key.',
  },
  KEY_REPLACED_SOON: {
    severity: 'WARNING',
    message: 'The key was replaced by another one and works only for a while longer.',
    remedy: 'Enter the new key.',
  },
  LICENSE_NOT_STARTED: {
    severity: 'ERROR',
    message: 'The license starts later.',
    remedy: 'Wait for its start, or ask the vendor to activate it now.',
  },
  LICENSE_PAUSED: { severity: 'ERROR', message: 'The license is paused.', remedy: 'Ask the vendor to resume it.' },
  LICENSE_BLOCKED: {
    severity: 'ERROR',
    message: 'The license was blocked by the vendor.',
    remedy: 'Ask the vendor why.',
  },
  LICENSE_CANCELLED: { severity: 'ERROR', message: 'The license was cancelled.', remedy: 'Get a new license.' },
  LICENSE_EXPIRED: { severity: 'ERROR', message: 'The license has ended.', remedy: 'Renew it.' },
  LICENSE_EXPIRES_SOON: {
    severity: 'WARNING',
    message: 'The license ends within seven days, and no further one follows on this key.',
    remedy: 'Renew it in time.',
  },
  LICENSE_CANCELLATION_SCHEDULED: {
    severity: 'WARNING',
    message: 'The license will be cancelled.',
    remedy: 'Ask the vendor when, or to let it be.',
  },
  LICENSE_PAUSE_SCHEDULED: {
    severity: 'WARNING',
    message: 'The license will be paused.',
    remedy: 'Ask the vendor when, or to let it be.',
  },
  LICENSE_BLOCK_SCHEDULED: {
    severity: 'WARNING',
    message: 'The license will be blocked.',
    remedy: 'Ask the vendor when, or to let it be.',
  },
  LICENSE_OFFERING_CHANGE_SCHEDULED: {
    severity: 'WARNING',
    message: 'The license will be of another product offering.',
    remedy: 'Ask the vendor what changes with it.',
  },
  GRANT_REVOKED: {
    severity: 'ERROR',
    message: 'What gave the key was taken back by hand, and the key was switched off with it.',
    remedy: 'Ask the vendor why.',
  },
  GRANT_REFUNDED: {
    severity: 'ERROR',
    message: 'What gave the key was refunded, and the key was switched off with it.',
    remedy: 'Buy it again.',
  },
  GRANT_PLAN_CHANGED: {
    severity: 'ERROR',
    message: 'What gave the key is not part of the plan any more, and the key was switched off with it.',
    remedy: 'Use the key of the new plan.',
  },
  PRODUCT_NOT_FOUND: {
    severity: 'ERROR',
    message: 'The vendor has no product with this SKU.',
    remedy: 'Update the program, or tell its maker.',
  },
  PRODUCT_MISMATCH: {
    severity: 'ERROR',
    message: 'The key is for another product.',
    remedy: "Enter this product's key.",
  },
  PRODUCT_ARCHIVED: {
    severity: 'WARNING',
    message: 'The product is not sold any more. What was sold works on.',
    remedy: 'Ask the vendor what follows it.',
  },
  VERSION_NOT_FOUND: {
    severity: 'ERROR',
    message: 'The product has no version of this name.',
    remedy: 'Update the program, or tell its maker.',
  },
  VERSION_NOT_PUBLISHED: {
    severity: 'ERROR',
    message: 'This version of the product is not published.',
    remedy: 'Use a published version.',
  },
  VERSION_OUTDATED: {
    severity: 'WARNING',
    message: 'There is a newer published version.',
    remedy: 'Update the program.',
  },
  CUSTOMER_MISMATCH: {
    severity: 'ERROR',
    message: "The key is not this customer's. The same for customers that do not exist.",
    remedy: 'Enter the customer number that came with the key.',
  },
  FINGERPRINT_BLANK: {
    severity: 'ERROR',
    message: 'The fingerprint of the device is empty.',
    remedy: "Tell the program's maker.",
  },
  FINGERPRINT_TOO_LONG: {
    severity: 'ERROR',
    message: 'The fingerprint of the device has more than 255 characters.',
    remedy: "Tell the program's maker.",
  },
  FINGERPRINT_MISSING: {
    severity: 'WARNING',
    message: 'The key counts devices, and no fingerprint was given, so that none was checked.',
    remedy: "Give the device's `fingerprint`.",
  },
  DEVICE_NOT_ACTIVATED: {
    severity: 'ERROR',
    message: 'The key counts devices, and is not activated on this one.',
    remedy: 'Activate it with `activateLicenseKey`.',
  },
  DEVICE_DEACTIVATED: {
    severity: 'ERROR',
    message: 'The key was deactivated on this device.',
    remedy: 'Activate it again with `activateLicenseKey`.',
  },
  DEVICE_LEASE_LAPSED: {
    severity: 'ERROR',
    message: "The lease of this device's activation has lapsed, and its seat is free for others.",
    remedy: 'Activate it again with `activateLicenseKey`.',
  },
  DEVICE_LEASE_LAPSES_SOON: {
    severity: 'WARNING',
    message: "Less than a quarter of the lease of this device's activation is left.",
    remedy: 'Renew it with `heartbeatActivation`.',
  },
  ACTIVATION_LIMIT_REACHED: {
    severity: 'ERROR',
    message: 'This device is not activated, and the key is activated on as many as it may be.',
    remedy: 'Deactivate the key on another device, or get a key for more.',
  },
  ACTIVATION_LIMIT_EXCEEDED: {
    severity: 'ERROR',
    message:
      'The key may be activated on fewer devices than it was: the oldest activations keep working, this one does not.',
    remedy: 'Deactivate the key on another device, or get a key for more.',
  },
};

/** Every code, in the order in which checks are told. */
export const checkCodes = Object.keys(meanings) as LicenseKeyCheckCode[];

/** Checks as callers see them, in the order of their codes, each once. */
export function checksOf(codes: ReadonlySet<LicenseKeyCheckCode>): LicenseKeyCheck[] {
  return checkCodes.filter((code) => codes.has(code)).map((code) => ({ code, ...meanings[code] }));
}

/** Whether a key with these checks may be used. */
export function isValid(checks: readonly LicenseKeyCheck[]): boolean {
  return checks.every(({ severity }) => severity !== 'ERROR');
}
