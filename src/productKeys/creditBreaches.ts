import type { ProductKey } from '../generated/prisma/client.js';
import { tenantOf } from '../kernel/requestContext.js';
import type { Tx } from '../kernel/transaction.js';
import { creditOwner } from './creditOwner.js';
import { totalsOf, type Share } from './slaShares.js';

/**
 * A step: puts what breaches give back of payments for a locked product key into the owner's default wallets, one entry for each
 * currency, and notes what came of which payment. Call it last.
 * @param shares by breach; a list of shares of one breach, or one share of each of many
 * @returns the ledger entries' ids, by currency
 * @throws Refusal BalanceLimitExceeded
 */
export async function creditBreaches(
  tx: Tx,
  key: ProductKey,
  shares: Iterable<readonly [breachId: string, share: Share]>,
  reason: string,
): Promise<string[]> {
  const given = [...shares];
  if (given.length === 0) return [];
  const totals = totalsOf(given.map(([, share]) => share));
  const why = { kind: 'SLA_CREDIT', reason, at: ['input', 'productKeyId'] } as const;
  const entryIds = await creditOwner(tx, key, totals, null, why);
  const entryIn = new Map([...totals.keys()].map((currency, i) => [currency, entryIds[i] as string]));
  const rows = given.map(([slaBreachId, share]) => ({
    ...tenantOf(tx.ctx),
    slaBreachId,
    ...share,
    ledgerEntryId: entryIn.get(share.currency) as string,
    createdAt: tx.ctx.now,
  }));
  tx.insert('sla_breach_credits', ...rows);
  return entryIds;
}
