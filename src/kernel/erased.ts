import { refusal } from './refusal.js';

/** What such a refusal says. */
export const erasedMessage = "The customer's personal data was erased. Create a new customer.";

/**
 * Refuses to make something new for a customer whose person was erased, or to write one down again. What the customer has goes
 * on: licenses, keys, grants and wallets.
 * @param path where the input names the customer
 * @throws Refusal CustomerErased
 */
export function refuseErased({ erasedAt }: { erasedAt: Date | null }, path: readonly string[]): void {
  if (erasedAt === null) return;
  throw refusal('CustomerErased', path, erasedMessage);
}
