import { brandForNew } from '../accounts/brandForNew.js';
import type { UpsertCustomerInput } from '../generated/graphql.js';
import type { Customer } from '../generated/prisma/client.js';
import { refuseOtherBrands } from '../kernel/brand.js';
import { refusal, refuseIfAny } from '../kernel/refusal.js';
import { tenantOf, type RequestContext } from '../kernel/requestContext.js';
import { columnsOf } from '../kernel/rows.js';
import { presentText } from '../kernel/text.js';
import { inTransaction, type Tx } from '../kernel/transaction.js';
import { addCustomer } from './addCustomer.js';
import { changeCustomer } from './changeCustomer.js';
import { customerConflicts, customerProblems } from './customer.js';
import { lockNames } from './lockNames.js';

/**
 * Updates the customer with this external id, else the one with this e-mail address in the brand; creates it when there is
 * none. Two calls for one new customer at once create one: the second waits and updates it.
 * @throws Refusal InvalidInput (also when neither is given), OrganizationNotFound, ModeMismatch, OrganizationArchived,
 *   CustomerCodeTaken, ExternalIdTaken, EmailTaken
 */
export async function upsertCustomer(
  ctx: RequestContext,
  input: UpsertCustomerInput,
): Promise<{ customerId: string; created: boolean }> {
  refuseIfAny(customerProblems(input));
  const externalId = presentText(input.externalId);
  const email = presentText(input.email);
  if (externalId === null && email === null) {
    throw refusal(
      'InvalidInput',
      ['input', 'externalId'],
      'Give `externalId` or `email`: the customer is found by them.',
    );
  }
  return inTransaction(
    ctx,
    async (tx) => {
      const current = await findExisting(tx, externalId, email);
      if (!current) return { customerId: (await addCustomer(tx, input)).id, created: true };
      refuseOtherBrands(ctx, { brandId: current.brandId, path: ['input', 'externalId'] });
      await changeCustomer(tx, current, input);
      return { customerId: current.id, created: false };
    },
    customerConflicts,
  );
}

async function findExisting(tx: Tx, externalId: string | null, email: string | null): Promise<Customer | null> {
  const { businessId, mode } = tenantOf(tx.ctx);
  const brandId = await brandForNew(tx);
  // Two calls for one new customer would both find none: the locks make the second see the first one's row. Both are taken in
  // one order, because another call may name the same customer by only one of the two.
  const names = [
    externalId === null ? null : ['externalId', externalId],
    email === null ? null : ['email', brandId, email.toLowerCase()],
  ];
  await lockNames(
    tx,
    names.filter((name) => name !== null),
  );
  const [customer] = await tx.sql<Customer>(
    'find_upserted_customer',
    `SELECT ${columnsOf('Customer')} FROM customers
      WHERE business_id = $1 AND mode = $2
        AND (external_id = $3 OR (brand_id = $4 AND email_canonical = lower($5) AND ($3::text IS NULL OR external_id IS NULL)))
      ORDER BY external_id = $3 DESC NULLS LAST LIMIT 1 FOR UPDATE`,
    [businessId, mode, externalId, brandId, email],
  );
  return customer ?? null;
}
