import { recordChange } from '../events/recordChange.js';
import type { RotateSigningKeyInput } from '../generated/graphql.js';
import type { SigningKey } from '../generated/prisma/client.js';
import { tenantOf, type RequestContext } from '../kernel/requestContext.js';
import { columnsOf } from '../kernel/rows.js';
import { inSqlTransaction, type SqlTx } from '../kernel/transaction.js';
import { addSigningKey } from './useSigningKey.js';

/** At least so long a retired key is shown, for revocation lists and for programs that keep the keys. */
const OVERLAP_MS = 31 * 86_400_000;
const ATTEMPTS = 10;

/**
 * Makes a new signing key for the caller's mode. The one so far is retired: its private half is gone, its public one stays in
 * `/.well-known/jwks.json` until everything that it signed has run out. What is being signed just now
 * is shown for as long, too.
 */
export async function rotateSigningKey(
  ctx: RequestContext,
  { withdrawPrevious }: RotateSigningKeyInput,
): Promise<{ signingKeyId: string }> {
  return inSqlTransaction(ctx, async (tx) => {
    for (let attempt = 1; attempt <= ATTEMPTS; attempt++) {
      await retire(tx);
      const made = await addSigningKey(tx, tenantOf(ctx), ctx.now);
      if (!made) continue;
      if (withdrawPrevious) await withdraw(tx);
      return { signingKeyId: made.id };
    }
    throw new Error('the signing key was rotated again and again');
  });
}

/** The current key, if there is one that nobody else has just retired. */
async function retire(tx: SqlTx): Promise<void> {
  const { businessId, mode } = tenantOf(tx.ctx);
  const [row] = await tx.sql<SigningKey>(
    'retire_signing_key',
    `UPDATE signing_keys SET retired_at = $3, key_ciphertext = NULL, published_until = greatest(published_until, $4),
        version = version + 1, updated_at = $3
      WHERE business_id = $1 AND mode = $2 AND retired_at IS NULL RETURNING ${columnsOf('SigningKey')}`,
    [businessId, mode, tx.ctx.now, new Date(tx.ctx.now.getTime() + OVERLAP_MS)],
  );
  if (row) record(tx, 'signing_key.retired', row, { retiredAt: null });
}

/** Keys that were retired, now or earlier, and are still shown: from now on they are not. */
async function withdraw(tx: SqlTx): Promise<void> {
  const { businessId, mode } = tenantOf(tx.ctx);
  const rows = await tx.sql<SigningKey>(
    'withdraw_signing_keys',
    `UPDATE signing_keys SET published_until = $3, version = version + 1, updated_at = $3
      WHERE business_id = $1 AND mode = $2 AND retired_at IS NOT NULL AND published_until > $3
      RETURNING ${columnsOf('SigningKey')}`,
    [businessId, mode, tx.ctx.now],
  );
  for (const row of rows) record(tx, 'signing_key.withdrawn', row, {});
}

function record(
  tx: SqlTx,
  type: 'signing_key.retired' | 'signing_key.withdrawn',
  row: SigningKey,
  before: object,
): void {
  const { retiredAt, publishedUntil } = row;
  const after = type === 'signing_key.retired' ? { retiredAt, publishedUntil } : { publishedUntil };
  const about = { objectType: 'SigningKey', objectId: row.id, sequence: row.version, snapshot: row } as const;
  recordChange(tx, { type, ...about, before, after });
}
