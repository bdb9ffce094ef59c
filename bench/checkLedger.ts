import type { Client } from 'pg';

const questions = {
  "wallets whose balance is not what their last transfer left, or not their transfers' sum": `
    SELECT count(*)::int AS count FROM wallets w LEFT JOIN (
      SELECT business_id, mode, wallet_id, sum(CASE WHEN is_credit THEN amount_minor ELSE -amount_minor END) AS sum,
        count(*) AS transfers, max(wallet_sequence) AS last
      FROM ledger_transfers GROUP BY 1, 2, 3
    ) t ON t.business_id = w.business_id AND t.mode = w.mode AND t.wallet_id = w.id
    LEFT JOIN ledger_transfers l ON l.business_id = w.business_id AND l.mode = w.mode AND l.wallet_id = w.id AND l.wallet_sequence = t.last
    WHERE (w.balance_minor, w.ledger_sequence, t.last) IS DISTINCT FROM (t.sum::bigint, l.wallet_sequence, t.transfers)
      OR w.balance_minor IS DISTINCT FROM l.balance_after_minor`,
  'transfers that do not start where the one before ended': `
    SELECT count(*)::int AS count FROM (
      SELECT balance_before_minor AS before, lag(balance_after_minor, 1, 0::bigint) OVER (
        PARTITION BY business_id, mode, wallet_id ORDER BY wallet_sequence) AS after
      FROM ledger_transfers) t WHERE before <> after`,
  'paid orders that are not one purchase of their total, one license and one key': `
    SELECT count(*)::int AS count FROM orders o WHERE o.total_minor > 0 AND ((
      SELECT count(*) FROM ledger_transactions t
        JOIN ledger_transfers f ON f.business_id = t.business_id AND f.mode = t.mode AND f.transaction_id = t.id
      WHERE t.business_id = o.business_id AND t.mode = o.mode AND t.id = o.ledger_transaction_id AND t.order_id = o.id
        AND f.wallet_id = o.wallet_id AND f.amount_minor = o.total_minor AND NOT f.is_credit) <> 1
    OR (
      SELECT count(*) FROM licenses l
        JOIN license_key_bindings b ON b.business_id = l.business_id AND b.mode = l.mode AND b.license_id = l.id
      WHERE l.business_id = o.business_id AND l.mode = o.mode AND l.order_id = o.id) <> 1)`,
};

/**
 * What the purchases left in the database, against what a ledger promises.
 * @param purchases how many the clients were told were done
 * @throws Error that names each broken promise
 */
export async function checkLedger(db: Client, purchases: number): Promise<void> {
  const problems: string[] = [];
  for (const [problem, text] of Object.entries(questions)) {
    const { rows } = await db.query<{ count: number }>(text);
    if (rows[0]!.count > 0) problems.push(`${rows[0]!.count} ${problem}`);
  }
  const { rows } = await db.query<{ orders: number; debits: number }>(
    `SELECT (SELECT count(*)::int FROM orders WHERE total_minor > 0) AS orders,
       (SELECT count(*)::int FROM ledger_transfers WHERE NOT is_credit) AS debits`,
  );
  const { orders, debits } = rows[0]!;
  if (orders !== purchases || debits !== purchases)
    problems.push(`${purchases} purchases were answered, but there are ${orders} paid orders and ${debits} debits`);
  if (problems.length > 0) throw new Error(`The ledger is broken: ${problems.join('; ')}.`);
}
