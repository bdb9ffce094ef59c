import { isEmail } from '../customers/customer.js';
import type { Customer, ProductKey } from '../generated/prisma/client.js';
import type { SqlTx } from '../kernel/transaction.js';
import { queueDelivery } from '../mail/queueDelivery.js';
import type { TemplateName } from '../mail/templates.js';

type AboutKey = Pick<ProductKey, 'id' | 'customerId'>;
type ProductKeyTemplate = Extract<TemplateName, `product-key-${string}`>;

/** A step: queues a mail about a product key; buffered. An address of null is noted as a delivery that had none. */
export function queueNotice(
  tx: SqlTx,
  { id, customerId }: AboutKey,
  template: ProductKeyTemplate,
  recipient: string | null,
) {
  queueDelivery(tx, { customerId, recipient, grantId: null, productKeyId: id, template });
}

/**
 * A step: the mails with a new key: to its creator, where it shall be told, and to further addresses, each once. The creator is
 * the human whom `X-Actor` names; API keys have no address.
 */
export function noticeCreation(
  tx: SqlTx,
  key: AboutKey & Pick<ProductKey, 'notifyCreatorOnCreation'>,
  addresses: readonly string[],
): void {
  const actor = tx.ctx.actor?.trim();
  const creator = actor && isEmail(actor) ? actor : null;
  if (key.notifyCreatorOnCreation) queueNotice(tx, key, 'product-key-created', creator);
  const isToldAlready = (address: string) =>
    key.notifyCreatorOnCreation && creator?.toLowerCase() === address.toLowerCase();
  for (const address of addresses.filter((one) => !isToldAlready(one))) {
    queueNotice(tx, key, 'product-key-created', address);
  }
}

/** A step: tells a key's owner something. */
export async function noticeOwner(tx: SqlTx, key: ProductKey, template: ProductKeyTemplate): Promise<void> {
  const [owner] = await tx.sql<Pick<Customer, 'email'>>(
    'address_of_owner',
    'SELECT email FROM customers WHERE business_id = $1 AND mode = $2 AND id = $3',
    [key.businessId, key.mode, key.customerId],
  );
  queueNotice(tx, key, template, owner?.email ?? null);
}
