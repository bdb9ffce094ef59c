import { recordChange } from '../events/recordChange.js';
import { drawNumbers, type LookedUpNumbers } from '../kernel/drawNumber.js';
import { newId } from '../kernel/id.js';
import { tenantOf } from '../kernel/requestContext.js';
import type { SqlTx } from '../kernel/transaction.js';

/** An order that is carried out in the transaction that writes it, paid by a wallet. */
export interface CompletedOrder {
  /** Absent: a new one. */
  readonly id?: string;
  readonly brandId: string;
  /** One number, where it was drawn and looked for already. */
  readonly lookedUp?: LookedUpNumbers;
  /** Who bought. */
  readonly customerId: string;
  readonly walletId: string;
  readonly currency: string;
  /** The transaction that pays it, written later in this transaction; null when nothing is to pay. */
  readonly ledgerTransactionId: string | null;
  readonly lines: readonly OrderedLine[];
}

/** What is bought; amounts in minor units. */
export interface OrderedLine {
  /** A package for a duration, or an offering. */
  readonly packageId: string | null;
  readonly subscriptionTypeId: string | null;
  readonly productOfferingId: string | null;
  readonly quantity: number;
  readonly unitAmountMinor: bigint;
  /** What discounts take off; absent: nothing. The total is net of it. */
  readonly discountMinor?: bigint;
  readonly totalMinor: bigint;
  readonly description: string | null;
}

/**
 * A step: an order that is born COMPLETED, with its lines. Its total is the sum of theirs.
 * @returns the order's id; the rows are remembered, not yet written
 */
export async function addCompletedOrder(
  tx: SqlTx,
  { id = newId(), lookedUp, lines, ...fields }: CompletedOrder,
): Promise<{ id: string }> {
  const { now } = tx.ctx;
  const tenant = tenantOf(tx.ctx);
  const [number] = (await drawNumbers(tx, 'Order', 1, lookedUp)) as [string];
  const order = {
    ...tenant,
    id,
    number,
    ...fields,
    status: 'COMPLETED' as const,
    totalMinor: lines.reduce((sum, line) => sum + line.totalMinor, 0n),
    completedAt: now,
    version: 1,
    createdAt: now,
    updatedAt: now,
  };
  tx.insert('orders', order);
  const placed = lines.map((line, index) => {
    return { ...tenant, id: newId(), orderId: id, position: index + 1, discountMinor: 0n, ...line };
  });
  tx.insert('order_lines', ...placed);
  recordChange(tx, { type: 'order.completed', objectType: 'Order', objectId: id, sequence: 1, snapshot: order });
  return { id };
}
