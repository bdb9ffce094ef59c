import type { Scope } from '../generated/graphql.js';
import { recordChange } from '../events/recordChange.js';
import { newId } from '../kernel/id.js';
import type { Tenant } from '../kernel/requestContext.js';
import { tokenHash } from '../kernel/secret.js';
import type { Tx } from '../kernel/transaction.js';

/** A step: stores an API key for a token; the token itself is not kept. */
export async function addApiKey(
  tx: Tx,
  tenant: Tenant,
  key: { name: string; scopes: readonly Scope[]; expiresAt: Date | null },
  token: string,
): Promise<{ id: string }> {
  const { now } = tx.ctx;
  const row = await tx.prisma.apiKey.create({
    data: {
      ...tenant,
      id: newId(),
      name: key.name,
      tokenHash: new Uint8Array(tokenHash(token)),
      last4: token.slice(-4),
      scopes: [...key.scopes],
      expiresAt: key.expiresAt,
      createdAt: now,
      updatedAt: now,
    },
  });
  recordChange(tx, {
    type: 'api_key.created',
    objectType: 'ApiKey',
    objectId: row.id,
    sequence: 1,
    snapshot: row,
    tenant,
  });
  return row;
}
