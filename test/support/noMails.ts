import type { MailContents } from '../../src/mail/sendDelivery.js';

/** Contents of mails of which a test sends none. */
export const noMails: MailContents = {
  'license-key': () => Promise.resolve(null),
  'license-key-rotated': () => Promise.resolve(null),
  'product-key-created': () => Promise.resolve(null),
  'product-key-trial-expiring': () => Promise.resolve(null),
  'product-key-quota-threshold': () => Promise.resolve(null),
  'product-key-disabled': () => Promise.resolve(null),
};
