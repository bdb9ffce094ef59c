import { generateKey, type KeyPattern } from '../catalog/keyPattern.js';
import type { Product, ProductKey } from '../generated/prisma/client.js';
import type { SqlTx } from '../kernel/transaction.js';

const guid: KeyPattern = { kind: 'GUID', alphabet: null, groups: null, prefix: null, checkCharacter: false };

/** A new text for a product key: by the pattern of its first product's keys, where it has one; else a GUID, as the source's are. */
export function textFor({ keyPattern }: Pick<Product, 'keyPattern'>): string {
  return generateKey((keyPattern as unknown as KeyPattern | null) ?? guid);
}

/** A step: the same for a key that is there. */
export async function generatedText(tx: SqlTx, { businessId, mode, id }: ProductKey): Promise<string> {
  const [product] = await tx.sql<Pick<Product, 'keyPattern'>>(
    'pattern_of_product_key',
    `SELECT p.key_pattern AS "keyPattern" FROM product_key_products j
      JOIN products p ON p.business_id = j.business_id AND p.id = j.product_id
      WHERE j.business_id = $1 AND j.mode = $2 AND j.product_key_id = $3 ORDER BY j.position LIMIT 1`,
    [businessId, mode, id],
  );
  return textFor(product ?? { keyPattern: null });
}
