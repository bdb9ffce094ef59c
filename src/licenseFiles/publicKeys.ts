import type { SigningKey } from '../generated/prisma/client.js';
import type { Database } from '../kernel/database.js';
import { globalId } from '../kernel/id.js';
import { tenantOf, type RequestContext } from '../kernel/requestContext.js';
import { columnsOf } from '../kernel/rows.js';
import type { Mode } from '../kernel/viewer.js';
import type { PublicJwk } from './licenseFile.js';

const isShown = '(retired_at IS NULL OR published_until > $2)';

/** The keys that a business's files and lists are verified with, of both modes, the newest first: a JSON Web Key Set. */
export async function jwksOf(db: Database, businessId: string, now: Date): Promise<{ keys: PublicJwk[] }> {
  const rows = await db.sql<{ id: string; mode: Mode; publicKey: string }>(
    'jwks_of_business',
    `SELECT id, mode, public_key AS "publicKey" FROM signing_keys
      WHERE business_id = $1 AND ${isShown} ORDER BY created_at DESC, id DESC`,
    [businessId, now],
  );
  const common = { kty: 'OKP', crv: 'Ed25519', use: 'sig', alg: 'EdDSA' } as const;
  const modes = { LIVE: 'live', TEST: 'test' } as const;
  return {
    keys: rows.map(({ id, mode, publicKey }) => ({
      ...{ ...common, kid: globalId('SigningKey', id), x: publicKey, mode: modes[mode] },
    })),
  };
}

/** The same as objects of the API, of the caller's mode: the current one first. */
export async function listSigningKeys(ctx: RequestContext): Promise<SigningKey[]> {
  const { businessId, mode } = tenantOf(ctx);
  return ctx.db.sql<SigningKey>(
    'shown_signing_keys',
    `SELECT ${columnsOf('SigningKey')} FROM signing_keys WHERE business_id = $1 AND mode = $3 AND ${isShown}
      ORDER BY retired_at IS NOT NULL, created_at DESC, id DESC`,
    [businessId, ctx.now, mode],
  );
}
