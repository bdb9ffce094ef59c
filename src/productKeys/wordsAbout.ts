import type { ProductKey } from '../generated/prisma/client.js';
import type { SqlTx } from '../kernel/transaction.js';
import { holdCustomer } from './findOwner.js';

/**
 * A step: the words to note about a locked product key, where a program gives them and must not be refused for them: none once its
 * owner was erased.
 */
export async function wordsAbout(tx: SqlTx, { customerId }: ProductKey, words: string | null): Promise<string | null> {
  if (words === null) return null;
  const owner = await holdCustomer(tx, customerId);
  return owner?.erasedAt ? null : words;
}
