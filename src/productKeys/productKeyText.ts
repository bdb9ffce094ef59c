import { sealedKey } from '../licenseKeys/addLicenseKey.js';
import { keyHmacs } from '../licenseKeys/keyHmacs.js';
import { userError } from '../kernel/refusal.js';
import type { Tenant } from '../kernel/requestContext.js';
import type { Keyring } from '../kernel/secret.js';
import type { ConflictRefusals, SqlTx } from '../kernel/transaction.js';

/** A row of `product_key_lookups`. */
export interface ProductKeyLookupRow extends Tenant {
  readonly keyHmac: Buffer;
  readonly hmacKeyId: string;
  readonly productKeyId: string;
  readonly rotationId: string | null;
}

/**
 * The rows by which a product key's text is found, one for each secret, in the order of their values: as those of license keys,
 * in a table of their own. One text may be a license key and a product key.
 */
export function textRows(
  keyring: Keyring,
  { businessId, mode }: Tenant,
  text: string,
  productKeyId: string,
): ProductKeyLookupRow[] {
  return keyHmacs(keyring, { businessId, mode }, text)
    .map((hmac) => ({ businessId, mode, ...hmac, productKeyId, rotationId: null }))
    .sort((a, b) => Buffer.compare(a.keyHmac, b.keyHmac));
}

/** What a row keeps of its key: the text encrypted for this row alone, and its last characters. */
export function sealProductKey(tx: Pick<SqlTx, 'ctx'>, text: string, id: string) {
  const { keyCiphertext, last4 } = sealedKey(tx, text, id);
  return { keyCiphertext: new Uint8Array(keyCiphertext), last4 };
}

/** What to answer when the business has the text already, in any spelling: a use case's third argument of `inTransaction`. */
export const productKeyTaken: ConflictRefusals = {
  product_key_lookups_pkey: () =>
    userError(
      'ProductKeyTaken',
      ['input', 'key'],
      'The business has this product key already; case and dashes do not count. Give another one, or none.',
    ),
};
