import { recordChange } from '../events/recordChange.js';
import type { Customer } from '../generated/prisma/client.js';
import type { Tx } from '../kernel/transaction.js';

/** What a customer's row says about a person. The number is the server's own and stays. */
const blank = {
  code: null,
  externalId: null,
  firstName: null,
  lastName: null,
  companyName: null,
  email: null,
  isEmailVerified: false,
  countryCode: null,
  locale: null,
  organizationId: null,
  metadata: {},
} satisfies Partial<Customer>;

/** A step: takes the person out of a customer's row, which is locked. Records `customer.erased`, which says when and no more. */
export async function blankCustomer(tx: Tx, { businessId, mode, id }: Customer): Promise<void> {
  const erasedAt = tx.ctx.now;
  const customer = await tx.prisma.customer.update({
    where: { businessId_mode_id: { businessId, mode, id } },
    data: { ...blank, erasedAt, version: { increment: 1 }, updatedAt: erasedAt },
  });
  recordChange(tx, {
    type: 'customer.erased',
    objectType: 'Customer',
    objectId: id,
    sequence: customer.version,
    before: { erasedAt: null },
    after: { erasedAt },
    snapshot: customer,
  });
}
