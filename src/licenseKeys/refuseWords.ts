import type { Customer } from '../generated/prisma/client.js';
import { refusal } from '../kernel/refusal.js';
import type { Tenant } from '../kernel/requestContext.js';
import type { SqlTx } from '../kernel/transaction.js';

/**
 * A step, one statement when there is something to ask: refuses to note words about a key, of licenses or products, whose customer's
 * person was erased.
 * What the key can and cannot do may change all the same. The key's row is locked, so an erasure is over or has yet to come: then
 * it takes the words along.
 * @param words what somebody typed, by field; null and absent ones are none
 * @throws Refusal CustomerErased
 */
export async function refuseWordsAboutErased(
  tx: SqlTx,
  { businessId, mode, customerId }: Tenant & { customerId: string },
  words: Readonly<Record<string, unknown>>,
): Promise<void> {
  const field = Object.keys(words).find((name) => words[name] != null);
  if (field === undefined) return;
  const [customer] = await tx.sql<Pick<Customer, 'erasedAt'>>(
    'erasure_of_customer',
    'SELECT erased_at AS "erasedAt" FROM customers WHERE business_id = $1 AND mode = $2 AND id = $3',
    [businessId, mode, customerId],
  );
  if (!customer?.erasedAt) return;
  const message = "The customer's personal data was erased: nothing more is noted about it. Leave this out.";
  throw refusal('CustomerErased', ['input', field], message);
}
