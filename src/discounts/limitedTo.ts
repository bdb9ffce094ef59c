import { missingPackage, missingProduct, missingProductOffering } from '../catalog/notFound.js';
import type { CreateDiscountInput, UpdateDiscountInput } from '../generated/graphql.js';
import type { Discount } from '../generated/prisma/client.js';
import { erasedMessage } from '../kernel/erased.js';
import { uuidOf } from '../kernel/id.js';
import { missing } from '../kernel/missing.js';
import { Refusal, refuseIfAny, userError, type UserErrorData } from '../kernel/refusal.js';
import { tenantOf, tenantViewer } from '../kernel/requestContext.js';
import type { SqlTx } from '../kernel/transaction.js';

/** What a discount is limited to, as its columns. */
export type LimitedTo = Pick<Discount, 'productIds' | 'packageIds' | 'productOfferingIds' | 'customerIds'>;

/** The fields of the input, each with its column, its table and what to answer when something is not there. */
const catalog = [
  { field: 'productIds', type: 'Product', table: 'products', brand: 'NULL::uuid', absent: missingProduct },
  { field: 'packageIds', type: 'Package', table: 'packages', brand: 'brand_id', absent: missingPackage },
  {
    field: 'productOfferingIds',
    type: 'ProductOffering',
    table: 'product_offerings',
    brand: 'NULL::uuid',
    absent: missingProductOffering,
  },
] as const;

/**
 * A step: what given fields limit a discount to: ids that are there, each once; absent fields are left out. Customers are held
 * against erasure until the transaction ends, so that nothing is written for a person who is being forgotten.
 * @throws Refusal ProductNotFound, PackageNotFound, ProductOfferingNotFound, all at once with BrandMismatch; else CustomerNotFound,
 *   ModeMismatch, CustomerErased
 */
export async function limitedTo(
  tx: SqlTx,
  input: CreateDiscountInput | UpdateDiscountInput,
): Promise<Partial<LimitedTo>> {
  const problems: UserErrorData[] = [];
  const columns: Partial<LimitedTo> = {};
  for (const { field, type, table, brand, absent } of catalog) {
    if (input[field] === undefined) continue;
    const ids = (input[field] ?? []).map((id) => uuidOf(type, id));
    const found = ids.length === 0 ? new Map<string, string | null>() : await brandsOf(tx, table, brand, ids);
    ids.forEach((id, index) => {
      const path = ['input', field, String(index)];
      if (!found.has(id)) problems.push(absent(path));
      else problems.push(...otherBrand(tx, found.get(id) ?? null, path));
    });
    columns[field] = [...new Set(ids)];
  }
  refuseIfAny(problems);
  if (input.eligibleCustomerIds !== undefined)
    columns.customerIds = await customersOf(tx, input.eligibleCustomerIds ?? []);
  return columns;
}

async function brandsOf(
  tx: SqlTx,
  table: string,
  brand: string,
  ids: readonly string[],
): Promise<Map<string, string | null>> {
  const rows = await tx.sql<{ id: string; brandId: string | null }>(
    `discount_limited_to_${table}`,
    `SELECT id, ${brand} AS "brandId" FROM ${table} WHERE business_id = $1 AND id = ANY($2::uuid[])`,
    [tenantOf(tx.ctx).businessId, ids],
  );
  return new Map(rows.map(({ id, brandId }) => [id, brandId]));
}

async function customersOf(tx: SqlTx, given: readonly string[]): Promise<string[]> {
  const { businessId, mode } = tenantOf(tx.ctx);
  const ids = given.map((id) => uuidOf('Customer', id));
  if (ids.length === 0) return [];
  const rows = await tx.sql<{ id: string; brandId: string; erasedAt: Date | null }>(
    'discount_limited_to_customers',
    `SELECT id, brand_id AS "brandId", erased_at AS "erasedAt" FROM customers
      WHERE business_id = $1 AND mode = $2 AND id = ANY($3::uuid[]) ORDER BY id FOR KEY SHARE`,
    [businessId, mode, ids],
  );
  const found = new Map(rows.map((row) => [row.id, row]));
  const problems: UserErrorData[] = [];
  for (const [index, id] of ids.entries()) {
    const path = ['input', 'eligibleCustomerIds', String(index)];
    const customer = found.get(id);
    if (!customer) {
      throw await missing(tx, 'Customer', id, path, 'CustomerNotFound', 'There is no customer with this id.');
    }
    problems.push(...otherBrand(tx, customer.brandId, path));
    if (customer.erasedAt) problems.push(userError('CustomerErased', path, erasedMessage));
  }
  if (problems.length > 0) throw new Refusal(problems);
  return [...new Set(ids)];
}

/** A discount has no brand: what it names may be of several, but of no other one than `Brand-URL` says. */
function otherBrand(tx: SqlTx, brandId: string | null, path: readonly string[]): UserErrorData[] {
  const asked = tenantViewer(tx.ctx).brandId;
  if (asked === null || brandId === null || asked === brandId) return [];
  const message = 'This belongs to another brand than `Brand-URL` names. Leave the header out, or use its own brand.';
  return [userError('BrandMismatch', path, message)];
}
