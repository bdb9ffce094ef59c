import { brandForNew } from '../accounts/brandForNew.js';
import type { CreateCustomerInput } from '../generated/graphql.js';
import type { Customer } from '../generated/prisma/client.js';
import { tenantOf } from '../kernel/requestContext.js';
import { columnsOf } from '../kernel/rows.js';
import type { Tx } from '../kernel/transaction.js';
import { addCustomer } from './addCustomer.js';
import { lockNames } from './lockNames.js';

/**
 * A step: the customer of the brand with an e-mail address, as it is; made from checked fields where there is none. Of two
 * transactions that ask for one new address, the second waits and finds what the first made.
 * @throws Refusal OrganizationNotFound, ModeMismatch, OrganizationArchived
 */
export async function findOrAddByEmail(tx: Tx, fields: CreateCustomerInput & { email: string }): Promise<Customer> {
  const { businessId, mode } = tenantOf(tx.ctx);
  const brandId = await brandForNew(tx);
  await lockNames(tx, [['email', brandId, fields.email.toLowerCase()]]);
  const [customer] = await tx.sql<Customer>(
    'find_customer_by_email',
    `SELECT ${columnsOf('Customer')} FROM customers
      WHERE business_id = $1 AND mode = $2 AND brand_id = $3 AND email_canonical = lower($4) FOR KEY SHARE`,
    [businessId, mode, brandId, fields.email],
  );
  return customer ?? addCustomer(tx, fields);
}
