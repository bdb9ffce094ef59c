import { createHash } from 'node:crypto';
import { expect } from '@jest/globals';
import type { Database } from '../../src/kernel/database.js';

/** What must never be found, by what it would mean; each statement lists offenders. */
const offenders = {
  'a balance that is not the sum of its transfers': `
    SELECT w.id FROM wallets w LEFT JOIN ledger_transfers t ON (t.business_id, t.mode, t.wallet_id) = (w.business_id, w.mode, w.id)
     GROUP BY w.id, w.balance_minor
    HAVING w.balance_minor <> coalesce(sum(CASE WHEN t.is_credit THEN t.amount_minor ELSE -t.amount_minor END), 0)`,
  'a ledger with a gap': `
    SELECT w.id FROM wallets w LEFT JOIN ledger_transfers t ON (t.business_id, t.mode, t.wallet_id) = (w.business_id, w.mode, w.id)
     GROUP BY w.id, w.ledger_sequence
    HAVING coalesce(w.ledger_sequence, 0) <> count(t.id)
        OR count(t.id) > 0 AND (min(t.wallet_sequence), max(t.wallet_sequence)) IS DISTINCT FROM (1, count(t.id))`,
  'an entry that does not start where the one before ended': `
    SELECT id FROM (
      SELECT id, balance_before_minor, lag(balance_after_minor, 1, 0::bigint) OVER (PARTITION BY wallet_id ORDER BY wallet_sequence) AS previous
        FROM ledger_transfers) t
     WHERE balance_before_minor <> previous`,
  'a currency whose accounts do not sum to zero': `
    SELECT business_id, mode, currency FROM (
      SELECT business_id, mode, currency, balance_minor AS amount FROM wallets
      UNION ALL
      SELECT t.business_id, t.mode, t.currency, CASE WHEN a.id = t.credit_account_id THEN t.amount_minor ELSE -t.amount_minor END
        FROM ledger_transfers t JOIN ledger_accounts a
          ON (a.business_id, a.mode) = (t.business_id, t.mode) AND a.id IN (t.debit_account_id, t.credit_account_id)
       WHERE a.kind <> 'WALLET') sides
     GROUP BY business_id, mode, currency HAVING sum(amount) <> 0`,
  'a transaction without exactly one transfer': `
    SELECT x.id FROM ledger_transactions x LEFT JOIN ledger_transfers t
        ON (t.business_id, t.mode, t.transaction_id) = (x.business_id, x.mode, x.id)
     GROUP BY x.id HAVING count(t.id) <> 1`,
  'money that came from or went to the wrong account': `
    SELECT t.id FROM ledger_transfers t JOIN ledger_transactions x ON x.id = t.transaction_id
      JOIN ledger_accounts d ON d.id = t.debit_account_id JOIN ledger_accounts c ON c.id = t.credit_account_id
     WHERE (x.kind, d.kind, c.kind, t.is_credit) NOT IN (('CREDIT', 'FUNDING', 'WALLET', true), ('PURCHASE', 'WALLET', 'SALES', false),
       ('PRORATION', 'WALLET', 'SALES', false), ('PRORATION', 'SALES', 'WALLET', true),
       -- What a billing system was paid for a product key.
       ('PRORATION', 'FUNDING', 'WALLET', true), ('SLA_CREDIT', 'FUNDING', 'WALLET', true))`,
  'a payment of which breaches of SLAs gave back more than was paid': `
    SELECT p.id FROM product_key_payments p JOIN sla_breach_credits c ON c.payment_id = p.id
     GROUP BY p.business_id, p.mode, p.id, p.amount_minor HAVING sum(c.amount_minor) > p.amount_minor`,
  'an SLA credit whose ledger entry is not what it gives back, or is none of the owner': `
    SELECT c.ledger_entry_id AS id FROM sla_breach_credits c JOIN ledger_transfers t ON t.id = c.ledger_entry_id
      JOIN ledger_transactions x ON x.id = t.transaction_id JOIN wallets w ON w.id = t.wallet_id JOIN sla_breaches b ON b.id = c.sla_breach_id
      -- Whose the key was at the credit: its owner at the breach, unless it was transferred between both.
      JOIN LATERAL (SELECT coalesce((SELECT (m.after ->> 'customerId')::uuid FROM changes m
         WHERE (m.business_id, m.mode, m.object_type, m.object_id) = (b.business_id, b.mode, 'ProductKey', b.product_key_id)
           AND m.type = 'product_key.transferred' AND m.created_at > b.created_at AND m.created_at <= c.created_at
         ORDER BY m.sequence DESC LIMIT 1), b.customer_id) AS id) owner ON true
     GROUP BY c.ledger_entry_id, t.amount_minor, t.currency, x.kind, w.customer_id
    HAVING sum(c.amount_minor) <> t.amount_minor OR bool_or(c.currency <> t.currency) OR x.kind <> 'SLA_CREDIT'
        OR bool_and(w.customer_id <> owner.id)
    UNION ALL SELECT x.id FROM ledger_transactions x JOIN ledger_transfers t ON t.transaction_id = x.id
     WHERE x.kind = 'SLA_CREDIT' AND NOT EXISTS (SELECT 1 FROM sla_breach_credits c WHERE c.ledger_entry_id = t.id)`,
  'an order that was not paid in full, or a free one that was': `
    SELECT o.id FROM orders o LEFT JOIN ledger_transfers t ON t.transaction_id = o.ledger_transaction_id AND NOT t.is_credit
     WHERE o.status = 'COMPLETED'
       AND (coalesce(t.amount_minor, 0), coalesce(t.wallet_id, o.wallet_id), coalesce(t.currency, o.currency))
         IS DISTINCT FROM (o.total_minor, o.wallet_id, o.currency)`,
  'a debit without its order': `
    SELECT x.id FROM ledger_transactions x LEFT JOIN orders o ON o.id = x.order_id AND o.ledger_transaction_id = x.id
     WHERE x.kind = 'PURCHASE' AND o.id IS NULL`,
  'an order that differs from its lines, or has not as many licenses as it has bought': `
    SELECT o.id FROM orders o
     WHERE o.total_minor <> (SELECT sum(total_minor) FROM order_lines l WHERE l.order_id = o.id)
        OR (SELECT sum(quantity) FROM order_lines l WHERE l.order_id = o.id) <> (SELECT count(*) FROM licenses i WHERE i.order_id = o.id)`,
  'a line that does not cost quantity times price less its discount': `
    SELECT id FROM order_lines WHERE total_minor <> quantity * unit_amount_minor - discount_minor`,
  'an order whose discounts are not what was redeemed, or not what is taken off its licenses': `
    SELECT o.id FROM orders o
      JOIN LATERAL (SELECT sum(discount_minor) AS off FROM order_lines l WHERE l.order_id = o.id) l ON true
     WHERE l.off <> coalesce((SELECT sum(amount_minor) FROM discount_redemptions r WHERE r.order_id = o.id), 0)
        OR l.off <> coalesce((SELECT sum(discount_minor) FROM licenses i WHERE i.order_id = o.id), 0)`,
  'a statement that is not what its lines and discounts come to': `
    SELECT id FROM product_key_statements s
     WHERE subtotal_minor::numeric <> coalesce((SELECT sum((l ->> 'amountMinor')::numeric) FROM jsonb_array_elements(lines) l), 0)
        OR discount_minor::numeric <> coalesce((SELECT sum((d ->> 'amountMinor')::numeric) FROM jsonb_array_elements(discounts) d), 0)
        OR EXISTS (SELECT FROM jsonb_array_elements(lines) l WHERE (l ->> 'exact')::numeric
          <> coalesce((SELECT sum((p ->> 'exact')::numeric) FROM jsonb_array_elements(l -> 'parts') p), 0))`,
  'periods of a product key that overlap or leave a gap': `
    SELECT id FROM (
      SELECT id, starts_at, lag(ends_at) OVER (PARTITION BY business_id, mode, product_key_id ORDER BY starts_at) AS previous
        FROM product_key_statements) s
     WHERE starts_at <> previous`,
  'a statement without exactly one event': `
    SELECT s.id FROM product_key_statements s WHERE 1 <> (SELECT count(*) FROM changes c
      WHERE (c.business_id, c.mode, c.object_type, c.object_id) = (s.business_id, s.mode, 'ProductKey', s.product_key_id)
        AND c.type = 'product_key.period_closed' AND c.after ->> 'statementId' = s.id::text)`,
  'a limited discount that was not counted exactly': `
    SELECT d.id FROM discounts d WHERE d.usage_limit IS NOT NULL AND d.used_count <> (
        SELECT count(*) FROM discount_redemptions r WHERE r.discount_id = d.id)
    UNION ALL SELECT c.id FROM discount_codes c WHERE c.usage_limit IS NOT NULL AND c.used_count <> (
        SELECT count(*) FROM discount_redemptions r WHERE r.discount_code_id = c.id)
    UNION ALL SELECT r.discount_id FROM discount_redemptions r JOIN discounts d ON d.id = r.discount_id
      LEFT JOIN discount_customer_uses u ON u.discount_id = r.discount_id AND u.customer_id = r.customer_id
     WHERE d.usage_limit_per_customer IS NOT NULL
     GROUP BY r.discount_id, r.customer_id, u.used_count HAVING count(*) IS DISTINCT FROM u.used_count`,
  'a movement, order, redemption or license without its one change': `
    SELECT id FROM (
      SELECT w.id, coalesce(w.ledger_sequence, 0) AS facts, 'Wallet' AS kind, ARRAY['wallet.credited', 'wallet.debited'] AS types FROM wallets w
      UNION ALL SELECT id, 1, 'Order', ARRAY['order.completed'] FROM orders
      UNION ALL SELECT id, 1, 'DiscountRedemption', ARRAY['discount.redeemed'] FROM discount_redemptions
      UNION ALL SELECT id, 1, 'SlaBreach', ARRAY['sla.breached'] FROM sla_breaches
      UNION ALL SELECT id, 1, 'License', ARRAY['license.created'] FROM licenses) o
     WHERE facts <> (SELECT count(*) FROM changes c WHERE c.object_type = o.kind AND c.object_id = o.id AND c.type = ANY (o.types))`,
  'a wallet whose version is not the number of its changes': `
    SELECT w.id FROM wallets w WHERE w.version <> (SELECT count(*) FROM changes c WHERE c.object_type = 'Wallet' AND c.object_id = w.id)`,
  'a key whose taken seats are not its devices': `
    SELECT k.id FROM license_keys k LEFT JOIN activations a ON a.license_key_id = k.id AND a.ended_at IS NULL
     GROUP BY k.business_id, k.mode, k.id, k.activations_used HAVING k.activations_used <> count(a.id)`,
  'two default wallets': `
    SELECT customer_id FROM wallets WHERE is_default GROUP BY business_id, mode, customer_id, brand_id, currency HAVING count(*) > 1`,
};

/** Fails the test when money, orders and licenses do not agree, anywhere in the database. Run it after every race. */
export async function expectInvariants(db: Database): Promise<void> {
  const found: Record<string, object[]> = {};
  for (const [meaning, statement] of Object.entries(offenders)) {
    const rows = await db.sql<object>(null, statement, []);
    if (rows.length > 0) found[meaning] = rows;
  }
  expect(found).toEqual({});
  await expectHashChains(db);
}

interface LedgerRow {
  wallet_id: string;
  hash: Buffer;
  about: string;
  details: unknown[];
}

/** Computes every wallet's chain of hashes anew, from what the rows say. */
async function expectHashChains(db: Database): Promise<void> {
  const entries = await db.sql<LedgerRow>(
    null,
    `SELECT t.wallet_id, t.hash,
        concat_ws('|', t.wallet_sequence, t.balance_before_minor, t.balance_after_minor,
          CASE WHEN t.is_credit THEN t.debit_account_id ELSE t.credit_account_id END) AS about,
        jsonb_build_array(t.wallet_id, t.id, t.transaction_id, x.kind, t.is_credit, t.amount_minor::text, t.currency, x.order_id,
          x.reason, x.reference, to_char(t.created_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')) AS details
       FROM ledger_transfers t JOIN ledger_transactions x ON x.id = t.transaction_id
      ORDER BY t.wallet_id, t.wallet_sequence`,
    [],
  );
  const heads = new Map<string, Buffer>();
  for (const { wallet_id, hash, about, details } of entries) {
    const previous = heads.get(wallet_id) ?? createHash('sha256').update(wallet_id).digest();
    const expected = createHash('sha256')
      .update(previous)
      .update(`${about}|${JSON.stringify(details)}`)
      .digest();
    expect([wallet_id, about, hash.toString('hex')]).toEqual([wallet_id, about, expected.toString('hex')]);
    heads.set(wallet_id, hash);
  }
  const wallets = await db.sql<{ id: string; ledger_hash: Buffer }>(null, 'SELECT id, ledger_hash FROM wallets', []);
  for (const { id, ledger_hash } of wallets) {
    const head = heads.get(id) ?? createHash('sha256').update(id).digest();
    expect([id, ledger_hash.toString('hex')]).toEqual([id, head.toString('hex')]);
  }
}
