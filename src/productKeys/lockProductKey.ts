import type { ProductKey, ProductKeyStatus } from '../generated/prisma/client.js';
import { refuseOtherBrands } from '../kernel/brand.js';
import { uuidOf } from '../kernel/id.js';
import { missing } from '../kernel/missing.js';
import { refusal, type Refusal } from '../kernel/refusal.js';
import { tenantOf } from '../kernel/requestContext.js';
import { columnsOf } from '../kernel/rows.js';
import type { SqlTx } from '../kernel/transaction.js';
import { refuseIfStale } from '../kernel/version.js';
import { carryOutDue } from './carryOutDue.js';
import { allowedFrom, byClock, hasEnded } from './life.js';

const path = ['input', 'productKeyId'];

/** The key is locked before its owner is looked up: a join that is locked finds no row where the owner changed meanwhile. */
const statement = `WITH k AS MATERIALIZED (SELECT * FROM product_keys WHERE business_id = $1 AND mode = $2 AND id = $3 FOR NO KEY UPDATE)
  SELECT ${columnsOf('ProductKey', 'k')}, c.brand_id AS "brandId" FROM k
  LEFT JOIN customers c ON c.business_id = k.business_id AND c.mode = k.mode AND c.id = k.customer_id`;

/**
 * A step: the product key that an input names, locked, once what is due has been carried out: as it truly stands.
 * `expectedVersion` means the version that readers saw.
 * @throws Refusal ProductKeyNotFound (the same for foreign and unknown ids), ModeMismatch, BrandMismatch, StaleObject
 */
export async function lockProductKey(
  tx: SqlTx,
  { productKeyId, expectedVersion }: { productKeyId: string; expectedVersion?: number | null },
): Promise<ProductKey> {
  const { businessId, mode } = tenantOf(tx.ctx);
  const id = uuidOf('ProductKey', productKeyId);
  const [row] = await tx.sql<ProductKey & { brandId: string }>('lock_product_key', statement, [businessId, mode, id]);
  if (!row)
    throw await missing(tx, 'ProductKey', id, path, 'ProductKeyNotFound', 'There is no product key with this id.');
  const { brandId, ...stored } = row;
  refuseOtherBrands(tx.ctx, { brandId, path });
  refuseIfStale(stored, expectedVersion);
  return carryOutDue(tx, stored);
}

/**
 * Refuses to change a product key that is CANCELLED or EXPIRED.
 * @throws Refusal ProductKeyEnded
 */
export function refuseEnded({ status }: ProductKey): void {
  if (!hasEnded(status)) return;
  throw refusal('ProductKeyEnded', path, `The product key is ${status}, for good. Create another one.`, {
    endedAs: status,
  });
}

/** What to answer when a key cannot go somewhere from where it stands. */
export function illegalTransition(key: ProductKey, event: string, to: ProductKeyStatus, now: Date): Refusal {
  const next = allowedFrom(key.status, byClock(key, now));
  const what = next.map((one) => `\`${one.event}ProductKey\``).join(', ');
  const advice = next.length > 0 ? `Applicable are: ${what}.` : 'That is final.';
  const message = `The product key is ${key.status}: \`${event}ProductKey\` does not apply. ${advice}`;
  const data = { fromStatus: key.status, toStatus: to, allowedStatuses: next.map((one) => one.to) };
  return refusal('IllegalProductKeyTransition', path, message, data);
}
