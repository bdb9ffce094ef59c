import { findOrAddByEmail } from '../customers/findOrAddByEmail.js';
import type { CreateProductKeyInput } from '../generated/graphql.js';
import type { Customer } from '../generated/prisma/client.js';
import { refuseOtherBrands } from '../kernel/brand.js';
import { refuseErased } from '../kernel/erased.js';
import { uuidOf } from '../kernel/id.js';
import { missing } from '../kernel/missing.js';
import { tenantOf } from '../kernel/requestContext.js';
import { columnsOf } from '../kernel/rows.js';
import { presentText } from '../kernel/text.js';
import type { SqlTx, Tx } from '../kernel/transaction.js';

const path = ['input', 'owner'];

/**
 * A step: the customer that a new product key is for: the one that `owner` names; else the one of the brand with the client's
 * e-mail address, as it is; else a new one with the client's names and company, in the organization that the key belongs to.
 * @throws Refusal CustomerNotFound, ModeMismatch, BrandMismatch, CustomerErased
 */
export async function findOwner(tx: Tx, input: CreateProductKeyInput): Promise<Customer> {
  if (input.owner == null) {
    return findOrAddByEmail(tx, {
      email: input.clientEmailAddress.trim(),
      firstName: presentText(input.clientFirstName),
      lastName: presentText(input.clientLastName),
      companyName: presentText(input.companyName),
      organizationId: input.organizationId,
    });
  }
  const customer = await findNewOwner(tx, input.owner);
  refuseOtherBrands(tx.ctx, { brandId: customer.brandId, path });
  return customer;
}

/**
 * A step: the customer that the input's `owner` names, held against erasure until the transaction ends. Its brand is the caller's
 * business.
 * @throws Refusal CustomerNotFound, ModeMismatch, CustomerErased
 */
export async function findNewOwner(tx: SqlTx, owner: string): Promise<Customer> {
  const id = uuidOf('Customer', owner);
  const customer = await holdCustomer(tx, id);
  if (!customer)
    throw await missing(tx, 'Customer', id, path, 'CustomerNotFound', 'There is no customer with this id.');
  refuseErased(customer, path);
  return customer;
}

/** A step: a customer's row, held against erasure until the transaction ends; null when there is none. */
export async function holdCustomer(tx: SqlTx, id: string): Promise<Customer | null> {
  const { businessId, mode } = tenantOf(tx.ctx);
  const [customer] = await tx.sql<Customer>(
    'owner_of_product_key',
    `SELECT ${columnsOf('Customer')} FROM customers WHERE business_id = $1 AND mode = $2 AND id = $3 FOR KEY SHARE`,
    [businessId, mode, id],
  );
  return customer ?? null;
}
