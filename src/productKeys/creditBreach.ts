import type { ProductKey, SlaBreach } from '../generated/prisma/client.js';
import { tenantOf } from '../kernel/requestContext.js';
import type { Tx } from '../kernel/transaction.js';
import { decimalOf } from '../slaDefinitions/measure.js';
import { creditOwner } from './creditOwner.js';
import { totalsOf, type Share } from './slaShares.js';

/**
 * A step: puts what a breach gives back of payments for a locked product key into the owner's default wallets, one entry for each
 * currency, and notes what came of which payment. Call it last.
 * @returns the ledger entries' ids, by currency
 * @throws Refusal BalanceLimitExceeded
 */
export async function creditBreach(
  tx: Tx,
  key: ProductKey,
  breach: Pick<SlaBreach, 'id' | 'metric' | 'measured'>,
  shares: readonly Share[],
): Promise<string[]> {
  if (shares.length === 0) return [];
  const totals = totalsOf(shares);
  const reason = `Product key ${key.number}: ${breach.metric} of ${decimalOf(breach.measured)} broke its SLA.`;
  const why = { kind: 'SLA_CREDIT', reason, at: ['input', 'productKeyId'] } as const;
  const entryIds = await creditOwner(tx, key, totals, null, why);
  const entryIn = new Map([...totals.keys()].map((currency, i) => [currency, entryIds[i] as string]));
  const rows = shares.map((share) => ({
    ...tenantOf(tx.ctx),
    slaBreachId: breach.id,
    ...share,
    ledgerEntryId: entryIn.get(share.currency) as string,
    createdAt: tx.ctx.now,
  }));
  tx.insert('sla_breach_credits', ...rows);
  return entryIds;
}
