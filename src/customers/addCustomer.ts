import { brandForNew } from '../accounts/brandForNew.js';
import { defaultsOf } from '../accounts/defaults.js';
import { recordChange } from '../events/recordChange.js';
import type { CreateCustomerInput } from '../generated/graphql.js';
import type { Customer } from '../generated/prisma/client.js';
import { drawNumbers } from '../kernel/drawNumber.js';
import { newId } from '../kernel/id.js';
import { tenantOf } from '../kernel/requestContext.js';
import { mergedMetadata } from '../kernel/text.js';
import type { Tx } from '../kernel/transaction.js';
import { customerColumns } from './customer.js';

/** A step: creates a customer from fields that were checked. */
export async function addCustomer(tx: Tx, input: CreateCustomerInput): Promise<Customer> {
  const { ctx } = tx;
  const [number] = (await drawNumbers(tx, 'Customer', 1)) as [string];
  const columns = customerColumns(input);
  const locale = columns.locale ?? (await defaultsOf(tx)).defaultLocale;
  const customer = await tx.prisma.customer.create({
    data: {
      ...tenantOf(ctx),
      id: newId(),
      brandId: await brandForNew(tx),
      number,
      isEmailVerified: false,
      ...columns,
      locale,
      metadata: mergedMetadata({}, input.metadata),
      createdAt: ctx.now,
      updatedAt: ctx.now,
    },
  });
  const { id } = customer;
  recordChange(tx, { type: 'customer.created', objectType: 'Customer', objectId: id, sequence: 1, snapshot: customer });
  return customer;
}
