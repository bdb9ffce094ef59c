import type { Customer } from '../generated/prisma/client.js';
import { missing } from '../kernel/missing.js';
import type { Refusal } from '../kernel/refusal.js';
import type { Tenant } from '../kernel/requestContext.js';
import { columnsOf } from '../kernel/rows.js';
import type { SqlTx } from '../kernel/transaction.js';

/** A step: a customer's row, locked until the transaction ends; null when there is none. */
export async function lockCustomer(
  tx: SqlTx,
  { businessId, mode, id }: Tenant & { id: string },
): Promise<Customer | null> {
  const [customer] = await tx.sql<Customer>(
    'lock_customer',
    `SELECT ${columnsOf('Customer')} FROM customers WHERE business_id = $1 AND mode = $2 AND id = $3 FOR UPDATE`,
    [businessId, mode, id],
  );
  return customer ?? null;
}

/** What to answer when the customer that `customerId` names is not there. */
export function customerMissing(tx: SqlTx, id: string): Promise<Refusal> {
  return missing(tx, 'Customer', id, ['input', 'customerId'], 'CustomerNotFound', 'There is no customer with this id.');
}
