import DataLoader from 'dataloader';
import type { ProductKeySla, SlaBreachCredit } from '../generated/prisma/client.js';
import { tenantOf, type RequestContext } from '../kernel/requestContext.js';
import { columnsOf } from '../kernel/rows.js';

const SHOWN = 100;

// What holds now comes before what held: however much history there is, it is among the rows.
const attachments = `SELECT s.* FROM unnest($3::uuid[]) AS asked (id)
  CROSS JOIN LATERAL (SELECT ${columnsOf('ProductKeySla', 's')} FROM product_key_slas s
    WHERE s.business_id = $1 AND s.mode = $2 AND s.product_key_id = asked.id
    ORDER BY s.detached_at DESC NULLS FIRST, s.attached_at DESC, s.id DESC LIMIT ${SHOWN}) s
  ORDER BY s."attachedAt", s.id`;

/** SLAs of product keys, the last 100 of each, in the order in which they were attached: one statement for all keys. */
export function slasByKey(ctx: RequestContext): DataLoader<string, ProductKeySla[]> {
  return new DataLoader(async (ids) => {
    const { businessId, mode } = tenantOf(ctx);
    const rows = await ctx.db.sql<ProductKeySla>('slas_by_key', attachments, [businessId, mode, ids]);
    return grouped(ids, rows, ({ productKeyId }) => productKeyId);
  });
}

/** What a breach gave back at once in a currency. */
export type CreditRow = Pick<SlaBreachCredit, 'slaBreachId' | 'currency' | 'amountMinor' | 'ledgerEntryId'>;

const credits = `SELECT sla_breach_id AS "slaBreachId", currency, ledger_entry_id AS "ledgerEntryId",
    sum(amount_minor)::bigint AS "amountMinor"
  FROM sla_breach_credits WHERE business_id = $1 AND mode = $2 AND sla_breach_id = ANY($3::uuid[])
  GROUP BY sla_breach_id, currency, ledger_entry_id ORDER BY currency, ledger_entry_id`;

/** What breaches gave back: one statement for all breaches. They must be visible to the caller. */
export function creditsByBreach(ctx: RequestContext): DataLoader<string, CreditRow[]> {
  return new DataLoader(async (ids) => {
    const { businessId, mode } = tenantOf(ctx);
    const rows = await ctx.db.sql<CreditRow>('credits_by_sla_breach', credits, [businessId, mode, ids]);
    return grouped(ids, rows, ({ slaBreachId }) => slaBreachId);
  });
}

const breaches = `SELECT asked.id AS "transactionId", b.id AS "slaBreachId" FROM unnest($3::uuid[]) AS asked (id)
  CROSS JOIN LATERAL (SELECT DISTINCT c.sla_breach_id AS id
    FROM ledger_transfers t JOIN sla_breach_credits c
      ON c.business_id = t.business_id AND c.mode = t.mode AND c.ledger_entry_id = t.id
    WHERE t.business_id = $1 AND t.mode = $2 AND t.transaction_id = asked.id ORDER BY c.sla_breach_id LIMIT ${SHOWN}) b`;

/** Ids of the breaches for which transactions gave something back, the first 100 of each: one statement for all transactions. */
export function breachesByTransaction(ctx: RequestContext): DataLoader<string, string[]> {
  return new DataLoader(async (ids) => {
    const { businessId, mode } = tenantOf(ctx);
    const rows = await ctx.db.sql<{ transactionId: string; slaBreachId: string }>(
      'sla_breaches_by_transaction',
      breaches,
      [businessId, mode, ids],
    );
    const byTransaction = grouped(ids, rows, ({ transactionId }) => transactionId);
    return byTransaction.map((own) => own.map(({ slaBreachId }) => slaBreachId));
  });
}

function grouped<Row>(ids: readonly string[], rows: readonly Row[], idOf: (row: Row) => string): Row[][] {
  const byId = new Map<string, Row[]>(ids.map((id) => [id, []]));
  for (const row of rows) byId.get(idOf(row))?.push(row);
  return ids.map((id) => byId.get(id) ?? []);
}
