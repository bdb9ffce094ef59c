import type { KeyPatternInput } from '../generated/graphql.js';
import type { Prisma, Product } from '../generated/prisma/client.js';
import { refusal } from '../kernel/refusal.js';
import { tenantOf } from '../kernel/requestContext.js';
import type { SqlTx } from '../kernel/transaction.js';
import { keyPatternOf } from './keyPattern.js';

/** What a product keeps of its pattern of keys. */
export interface KeyPatternColumns {
  readonly keyPattern: Prisma.JsonObject | null;
  readonly keyPrefixIsExclusive: boolean;
}

/**
 * A step: the columns for a pattern that was checked. A prefix is reserved: no other product's is the same or begins alike. It
 * is exclusive, so that a text with it can be told from a key without a look-up, when the business has no key yet at all: one
 * that it has may begin so by chance, or because the vendor made it elsewhere. Archived products keep their prefixes.
 * @param input null: the default pattern
 * @throws Refusal KeyPrefixTaken
 */
export async function keyPatternColumns(
  tx: SqlTx,
  input: KeyPatternInput | null,
  product: Pick<Product, 'id'>,
): Promise<KeyPatternColumns> {
  if (!input) return { keyPattern: null, keyPrefixIsExclusive: false };
  const keyPattern = keyPatternOf(input);
  const { prefix } = keyPattern;
  const columns = { keyPattern: keyPattern as unknown as Prisma.JsonObject };
  if (prefix === null) return { ...columns, keyPrefixIsExclusive: false };
  const { businessId } = tenantOf(tx.ctx);
  // Waits for whoever writes the business's first keys now, and for other reservations.
  await tx.sql('lock_business_for_prefix', 'SELECT 1 AS one FROM businesses WHERE id = $1 FOR UPDATE', [businessId]);
  const [row] = (await tx.sql<{ isTaken: boolean; hasKeys: boolean }>(
    'key_prefix_of_others',
    `SELECT EXISTS (SELECT 1 FROM products WHERE business_id = $1 AND id <> $2 AND key_pattern IS NOT NULL
          AND (starts_with(key_pattern ->> 'prefix', $3) OR starts_with($3, key_pattern ->> 'prefix'))) AS "isTaken",
        EXISTS (SELECT 1 FROM license_key_lookups WHERE business_id = $1) AS "hasKeys"`,
    [businessId, product.id, prefix],
  )) as [{ isTaken: boolean; hasKeys: boolean }];
  if (!row.isTaken) return { ...columns, keyPrefixIsExclusive: !row.hasKeys };
  const message =
    'Keys of another product begin with this prefix, or with a part of it. Choose one that begins otherwise.';
  throw refusal('KeyPrefixTaken', ['input', 'keyPattern', 'prefix'], message);
}
