import type { ProductKeyAddressUse } from '../generated/prisma/client.js';
import { tenantOf } from '../kernel/requestContext.js';
import type { SqlTx } from '../kernel/transaction.js';

/** Tables of what a product key names by id, and the column that names it. */
const joins = {
  product_key_products: 'product_id',
  product_key_applications: 'application_id',
  product_key_organizations: 'organization_id',
} as const;

/** One of those tables. */
export type NamedList = keyof typeof joins;

/** Addresses as they are kept: each once, whatever its case and its composition of Unicode. */
export function addressesOf(given: readonly string[] | null | undefined): string[] {
  const byCase = new Map<string, string>();
  for (const address of given ?? []) {
    const text = address.trim().normalize('NFC');
    if (!byCase.has(text.toLowerCase())) byCase.set(text.toLowerCase(), text);
  }
  return [...byCase.values()];
}

/** A step, one statement: what a product key names of one kind, in order, in place of what it named. */
export async function replaceNamed(
  tx: SqlTx,
  table: NamedList,
  productKeyId: string,
  ids: readonly string[],
): Promise<void> {
  const { businessId, mode } = tenantOf(tx.ctx);
  const column = joins[table];
  await tx.sql(
    `replace_${table}`,
    `WITH gone AS (
        DELETE FROM ${table} WHERE business_id = $1 AND mode = $2 AND product_key_id = $3 AND ${column} <> ALL ($4::uuid[]))
      INSERT INTO ${table} (business_id, mode, product_key_id, ${column}, position)
        SELECT $1, $2, $3, id, place - 1 FROM unnest($4::uuid[]) WITH ORDINALITY AS given (id, place)
        ON CONFLICT (business_id, mode, product_key_id, ${column}) DO UPDATE SET position = excluded.position`,
    [businessId, mode, productKeyId, ids],
  );
}

/**
 * A step, two statements: the addresses that a product key names for one use, in place of those that it named. The database decides
 * which differ in case alone.
 */
export async function replaceAddresses(
  tx: SqlTx,
  productKeyId: string,
  use: ProductKeyAddressUse,
  addresses: readonly string[],
): Promise<void> {
  const { businessId, mode } = tenantOf(tx.ctx);
  const values = [businessId, mode, productKeyId, use];
  await tx.sql(
    'drop_product_key_addresses',
    'DELETE FROM product_key_addresses WHERE business_id = $1 AND mode = $2 AND product_key_id = $3 AND use = $4',
    values,
  );
  await tx.sql(
    'add_product_key_addresses',
    `INSERT INTO product_key_addresses (business_id, mode, product_key_id, use, position, address)
      SELECT $1, $2, $3, $4, min(place) - 1, (array_agg(address ORDER BY place))[1]
        FROM unnest($5::text[]) WITH ORDINALITY AS given (address, place) GROUP BY lower(address)`,
    [...values, addresses],
  );
}

/** A step: what a product key names of one kind, in order. */
export async function readNamed(
  tx: SqlTx,
  table: NamedList,
  key: { businessId: string; mode: string; id: string },
): Promise<string[]> {
  const rows = await tx.sql<{ id: string }>(
    `read_${table}`,
    `SELECT ${joins[table]} AS id FROM ${table} WHERE business_id = $1 AND mode = $2 AND product_key_id = $3 ORDER BY position`,
    [key.businessId, key.mode, key.id],
  );
  return rows.map(({ id }) => id);
}

/** A step: the addresses that a product key names for one use, in order. */
export async function readAddresses(
  tx: SqlTx,
  use: ProductKeyAddressUse,
  key: { businessId: string; mode: string; id: string },
): Promise<string[]> {
  const rows = await tx.sql<{ address: string }>(
    'read_product_key_addresses',
    `SELECT address FROM product_key_addresses
      WHERE business_id = $1 AND mode = $2 AND product_key_id = $3 AND use = $4 ORDER BY position`,
    [key.businessId, key.mode, key.id, use],
  );
  return rows.map(({ address }) => address);
}
