import { createHash } from 'node:crypto';
import type { LedgerTransactionKind } from '../generated/graphql.js';
import type { Wallet } from '../generated/prisma/client.js';
import { originOf } from '../events/recordChange.js';
import { newId } from '../kernel/id.js';
import { tenantOf } from '../kernel/requestContext.js';
import { columnsOf } from '../kernel/rows.js';
import type { SqlTx } from '../kernel/transaction.js';

/** A wallet holds at most this many minor units: as many as every client can count exactly. */
export const MAX_BALANCE = 2n ** 53n;

/** What shall move, and why. */
export interface Movement {
  readonly walletId: string;
  /** The wallet's own currency. */
  readonly currency: string;
  /** Minor units, above 0. */
  readonly amount: bigint;
  readonly transactionId: string;
  readonly kind: LedgerTransactionKind;
  readonly reason: string | null;
  readonly reference: string | null;
  readonly orderId: string | null;
}

/** The wallet after a movement, and the entry of it in its ledger. */
export interface Moved {
  readonly wallet: Wallet;
  readonly ledgerEntryId: string;
}

const instant = (column: string) => `to_char(${column} AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')`;
/** The wallet as `recordChange` writes down a row, with the entry's id. */
const snapshot = `jsonb_build_object('businessId', business_id, 'mode', mode, 'id', id, 'customerId', customer_id,
          'brandId', brand_id, 'currency', currency, 'isDefault', is_default, 'balanceMinor', balance_minor::text,
          'ledgerSequence', ledger_sequence::text, 'version', version, 'createdAt', ${instant('created_at')},
          'updatedAt', ${instant('updated_at')}, 'ledgerEntryId', $13::text)`;

const fits = `w.balance_minor + $5::bigint <= ${MAX_BALANCE}`;

/**
 * IN: from the business's FUNDING account into the wallet. OUT: from the wallet to the business's SALES account. BACK: from there
 * into the wallet again.
 */
const directions = {
  IN: { sign: '+', account: 'FUNDING', isCredit: true, guard: fits },
  BACK: { sign: '+', account: 'SALES', isCredit: true, guard: fits },
  OUT: { sign: '-', account: 'SALES', isCredit: false, guard: 'w.balance_minor >= $5::bigint' },
} as const;

const statements = { IN: statementFor('IN'), BACK: statementFor('BACK'), OUT: statementFor('OUT') };

/** Where a wallet's chain of hashes starts: SHA-256 of its UUID, so that no two wallets' ledgers can be exchanged. */
export function firstLedgerHash(walletId: string): Uint8Array<ArrayBuffer> {
  return new Uint8Array(createHash('sha256').update(walletId).digest());
}

/**
 * A step: moves money into or out of a wallet, in one statement that locks the wallet's row and nothing else: the balance is
 * guarded and changed, the ledger's transaction and transfer and the change `wallet.credited` or `wallet.debited` are written
 * from what came of it. Foreign keys are checked when it ends. Call it last: the row stays locked until the commit.
 *
 * The entry's hash is SHA-256 of the hash before it and the text `sequence|before|after|other account|details`, where the
 * details are the JSON list [wallet, entry, transaction, kind, isCredit, amount, currency, order, reason, reference, instant].
 * @returns null when there is no such wallet in this currency, or its balance would become negative or pass `MAX_BALANCE`
 */
export async function moveMoney(
  tx: SqlTx,
  direction: keyof typeof directions,
  movement: Movement,
): Promise<Moved | null> {
  const { ledgerEntryId, statement } = statementOf(tx, direction, movement);
  const [wallet] = await tx.sql<Wallet>(...statement);
  return wallet ? { wallet, ledgerEntryId } : null;
}

/**
 * A step: the same with the commit, so that the wallet is locked no longer than PostgreSQL takes. Nobody is told when the money
 * does not move: something else in the transaction must not hold without it, such as an order's foreign key.
 * @returns the ledger entry's id
 */
export function moveMoneyAtEnd(tx: SqlTx, direction: keyof typeof directions, movement: Movement): string {
  const { ledgerEntryId, statement } = statementOf(tx, direction, movement);
  tx.atEnd(...statement);
  return ledgerEntryId;
}

function statementOf(
  { ctx }: SqlTx,
  direction: keyof typeof directions,
  movement: Movement,
): { ledgerEntryId: string; statement: [name: string, text: string, values: unknown[]] } {
  const { businessId, mode } = tenantOf(ctx);
  const { walletId, currency, amount, transactionId, kind, reason, reference, orderId } = movement;
  const ledgerEntryId = newId();
  const { isCredit } = directions[direction];
  const about = [walletId, ledgerEntryId, transactionId, kind, isCredit, amount.toString(), currency];
  const details = JSON.stringify([...about, orderId, reason, reference, ctx.now.toISOString()]);
  const { name, text } = statements[direction];
  const tenant = [businessId, mode, walletId, currency, amount];
  const entry = [details, ctx.now, transactionId, kind, reason, reference, orderId, ledgerEntryId];
  const { actorKind, actorId, actorName, requestId } = originOf(ctx);
  return {
    ledgerEntryId,
    statement: [name, text, [...tenant, ...entry, newId(), actorKind, actorId, actorName, requestId]],
  };
}

function statementFor(direction: keyof typeof directions): { name: string; text: string } {
  const { sign, account, isCredit, guard } = directions[direction];
  const accounts = isCredit ? 'counter_id, id' : 'id, counter_id';
  const before = isCredit ? 'balance_minor - $5::bigint' : 'balance_minor + $5::bigint';
  const text = `WITH counter AS (
      SELECT id FROM ledger_accounts
       WHERE business_id = $1 AND mode = $2 AND kind = '${account}' AND currency = $4 AND wallet_id IS NULL
    ), moved AS (
      UPDATE wallets w SET
          balance_minor = w.balance_minor ${sign} $5::bigint,
          ledger_sequence = coalesce(w.ledger_sequence, 0) + 1,
          ledger_hash = sha256(w.ledger_hash || convert_to(concat_ws('|', coalesce(w.ledger_sequence, 0) + 1,
            w.balance_minor, w.balance_minor ${sign} $5::bigint, (SELECT id FROM counter), $6::text), 'UTF8')),
          version = w.version + 1,
          updated_at = $7::timestamptz
       WHERE w.business_id = $1 AND w.mode = $2 AND w.id = $3 AND w.currency = $4 AND ${guard}
      RETURNING w.*, (SELECT id FROM counter) AS counter_id
    ), recorded AS (
      INSERT INTO ledger_transactions (business_id, mode, id, kind, reason, reference, order_id, created_at)
      SELECT business_id, mode, $8::uuid, $9::ledger_transaction_kind, $10, $11, $12::uuid, $7 FROM moved
    ), transferred AS (
      INSERT INTO ledger_transfers (business_id, mode, id, transaction_id, debit_account_id, credit_account_id, currency,
        amount_minor, wallet_id, wallet_sequence, is_credit, balance_before_minor, balance_after_minor, hash, created_at)
      SELECT business_id, mode, $13::uuid, $8, ${accounts}, currency,
        $5, id, ledger_sequence, ${isCredit}, ${before}, balance_minor, ledger_hash, $7 FROM moved
    ), told AS (
      INSERT INTO changes (business_id, mode, id, type, object_type, object_id, sequence, actor_kind, actor_id, actor_name,
        reason, before, after, snapshot, request_id, created_at)
      SELECT business_id, mode, $14::uuid, '${isCredit ? 'wallet.credited' : 'wallet.debited'}', 'Wallet', id, version, $15, $16::uuid, $17,
        $10, jsonb_build_object('balanceMinor', (${before})::text), jsonb_build_object('balanceMinor', balance_minor::text),
        ${snapshot}, $18, $7 FROM moved
    )
    SELECT ${columnsOf('Wallet')} FROM moved`;
  return { name: `move_money_${direction}`, text };
}
