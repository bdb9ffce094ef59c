import type { Customer } from '../generated/prisma/client.js';
import type { Tx } from '../kernel/transaction.js';
import { addWallet, ensureBusinessAccounts } from './createWallet.js';

/**
 * A step: the default wallet of a customer in a currency, made where there is none. The customer's row must be locked; flush
 * before money moves.
 * @returns the wallet's id
 */
export async function openDefaultWallet(tx: Tx, customer: Customer, currency: string): Promise<string> {
  const { businessId, mode, id: customerId, brandId } = customer;
  const where = { businessId, mode, customerId, brandId, currency, isDefault: true };
  const wallet = await tx.prisma.wallet.findFirst({ where });
  if (wallet) return wallet.id;
  await ensureBusinessAccounts(tx, currency);
  return addWallet(tx, customer, currency, true);
}
