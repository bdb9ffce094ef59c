import { createHash } from 'node:crypto';
import { ClientError } from './clientError.js';
import type { RequestContext } from './requestContext.js';
import { decrypt, encrypt } from './secret.js';
import type { SqlTx } from './transaction.js';

/** How a caller's key is kept: it may be made of a person's name or address, so never as it was given. */
function storedKey({ key }: IdempotencyClaim): string {
  return createHash('sha256').update(key, 'utf8').digest('hex');
}

/** Hours that a key is kept for mutations that move no money. */
const KEPT_HOURS = 24;

/** An idempotency key on its way into the transaction of the effect. */
export interface IdempotencyClaim {
  /** Whose key it is: business, mode and, for sessions, the customer. */
  readonly namespace: string;
  readonly key: string;
  readonly mutation: string;
  /** SHA-256 of the mutation's name and its canonical input. */
  readonly fingerprint: Buffer;
  /** Money moves: the key is kept for ever, not for 24 hours. */
  readonly forever: boolean;
  /** Fields of the result that are shown once; kept encrypted for the retry. */
  readonly secretFields: readonly string[];
}

/** Thrown inside the transaction when the key has had its effect; carries the result of that time. */
export class IdempotentReplay extends Error {
  constructor(readonly result: Record<string, unknown>) {
    super('replayed');
    this.name = 'IdempotentReplay';
  }
}

/**
 * The first statement of a transaction: claims the key, or waits for whoever holds it. A key whose 24 hours are over is taken
 * over. The row lives and dies with the transaction, so a refused or failed attempt leaves the key free.
 * @throws IdempotentReplay when the same call has had its effect
 * @throws ClientError IDEMPOTENCY_CONFLICT when the key was used for something else
 */
export async function claimIdempotencyKey(tx: SqlTx, claim: IdempotencyClaim): Promise<void> {
  const { now } = tx.ctx;
  const expiresAt = claim.forever ? null : new Date(now.getTime() + KEPT_HOURS * 3_600_000);
  const claimed = await tx.sql(
    'claim_idempotency_key',
    `INSERT INTO idempotency_records AS r (namespace, key, mutation, fingerprint, expires_at, created_at)
     VALUES ($1, $2, $3, $4, $5, $6)
     ON CONFLICT (namespace, key) DO UPDATE
       SET mutation = $3, fingerprint = $4, expires_at = $5, created_at = $6, result = NULL, secret = NULL
       WHERE r.expires_at <= $6
     RETURNING namespace`,
    [claim.namespace, storedKey(claim), claim.mutation, claim.fingerprint, expiresAt, now],
  );
  if (claimed.length === 0) throw await replayOf(tx, claim);
}

async function replayOf(tx: SqlTx, claim: IdempotencyClaim): Promise<Error> {
  const [record] = await tx.sql<{ mutation: string; fingerprint: Buffer; result: unknown; secret: Buffer | null }>(
    'read_idempotency_record',
    'SELECT mutation, fingerprint, result, secret FROM idempotency_records WHERE namespace = $1 AND key = $2',
    [claim.namespace, storedKey(claim)],
  );
  if (!record) return new Error('an idempotency record vanished between two statements');
  if (record.mutation !== claim.mutation || !record.fingerprint.equals(claim.fingerprint)) {
    return new ClientError(
      'IDEMPOTENCY_CONFLICT',
      `The idempotency key was used for another call (${record.mutation}). Use a new key for each operation.`,
    );
  }
  const secrets: unknown = record.secret
    ? JSON.parse(decrypt(tx.ctx.keyring.encryption, record.secret, [claim.namespace, claim.key]))
    : {};
  return new IdempotentReplay({ ...(record.result as object), ...(secrets as object) });
}

/** Keeps the outcome beside the claim: ids and scalars in the clear, what was shown once encrypted. */
export async function keepIdempotentResult(tx: SqlTx, claim: IdempotencyClaim, result: object): Promise<void> {
  const entries = Object.entries(result);
  const shown = Object.fromEntries(entries.filter(([name]) => !claim.secretFields.includes(name)));
  const secrets = Object.fromEntries(entries.filter(([name]) => claim.secretFields.includes(name)));
  const sealed = claim.secretFields.length
    ? encrypt(tx.ctx.keyring.encryption, JSON.stringify(secrets), [claim.namespace, claim.key])
    : null;
  await tx.sql(
    'keep_idempotent_result',
    'UPDATE idempotency_records SET result = $3, secret = $4 WHERE namespace = $1 AND key = $2',
    [claim.namespace, storedKey(claim), JSON.stringify(shown), sealed],
  );
}

/**
 * A step: forgets what calls about a customer said; of an input only a hash is kept, but hashes of names can be guessed. The keys
 * stay used: a late retry of such a call is a conflict, and never makes the customer again.
 */
export async function forgetInputsOf(tx: SqlTx, customerId: string): Promise<void> {
  await tx.sql(
    'forget_inputs_of_customer',
    `UPDATE idempotency_records SET fingerprint = '' WHERE result ? 'customerId' AND result ->> 'customerId' = $1`,
    [customerId],
  );
}

const FORGOTTEN_AT_ONCE = 5_000;

/**
 * Removes keys whose 24 hours are over, so that the table does not grow; returns how many. In batches, so that a long backlog
 * is worked off and not tried in vain. Run by the schedule.
 */
export async function forgetExpiredIdempotencyKeys(db: RequestContext['db'], now: Date): Promise<number> {
  for (let forgotten = 0; ;) {
    const { rowCount } = await db.writer.pool.query({
      name: 'forget_idempotency_keys',
      text: `DELETE FROM idempotency_records WHERE (namespace, key) IN (
        SELECT namespace, key FROM idempotency_records WHERE expires_at <= $1 LIMIT ${FORGOTTEN_AT_ONCE} FOR UPDATE SKIP LOCKED)`,
      values: [now],
    });
    forgotten += rowCount ?? 0;
    if ((rowCount ?? 0) < FORGOTTEN_AT_ONCE) return forgotten;
  }
}
