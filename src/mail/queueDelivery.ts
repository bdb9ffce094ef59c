import { newId } from '../kernel/id.js';
import { tenantOf } from '../kernel/requestContext.js';
import { presentText } from '../kernel/text.js';
import type { SqlTx } from '../kernel/transaction.js';
import type { TemplateName } from './templates.js';

/** A mail to send, as the use case that causes it sees it. */
export interface DeliveryRequest {
  readonly customerId: string;
  /** Null or blank: the customer has no address. */
  readonly recipient: string | null;
  readonly grantId: string | null;
  /** The key that it brings, where no grant does; absent: a grant does. */
  readonly licenseKeyId?: string;
  /** The product key that it is about. */
  readonly productKeyId?: string;
  readonly template: TemplateName;
  /** The grant is taken back for a while: the mail goes out when it comes back. */
  readonly isWithdrawn?: boolean;
}

/**
 * A step: queues a mail in the transaction that makes its cause true; buffered, so no round trip of its own. The relay makes a
 * job of it after the commit. Without an address it fails at once, and nothing else does.
 * @returns the delivery's id
 */
export function queueDelivery(
  tx: SqlTx,
  { customerId, recipient, grantId, licenseKeyId, productKeyId, template, isWithdrawn = false }: DeliveryRequest,
): string {
  const { now } = tx.ctx;
  const id = newId();
  const address = presentText(recipient);
  const failure = address === null ? 'NO_ADDRESS' : isWithdrawn ? 'WITHDRAWN' : null;
  tx.insert('deliveries', {
    ...tenantOf(tx.ctx),
    id,
    customerId,
    grantId,
    licenseKeyId: licenseKeyId ?? null,
    productKeyId: productKeyId ?? null,
    template,
    recipient: address,
    status: failure ? 'FAILED' : 'QUEUED',
    failure,
    createdAt: now,
    updatedAt: now,
  });
  return id;
}
