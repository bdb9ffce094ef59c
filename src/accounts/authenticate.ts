import type { Scope } from '../generated/graphql.js';
import type { Database } from '../kernel/database.js';
import { isWellFormedToken, tokenHash } from '../kernel/secret.js';
import type { ApiKeyViewer, CustomerViewer, Mode } from '../kernel/viewer.js';

/** How tokens of API keys and sessions begin; the prefix tells people, and this check, which mode they are for. */
export const tokenPrefixes = {
  apiKey: { LIVE: 'lk_live_', TEST: 'lk_test_' },
  session: { LIVE: 'lks_live_', TEST: 'lks_test_' },
} as const;

const prefixes = [...Object.values(tokenPrefixes.apiKey), ...Object.values(tokenPrefixes.session)];
/** A revocation must take effect within a second, so nothing is remembered for longer. */
const REMEMBERED_MS = 1_000;
const REMEMBERED_TOKENS = 10_000;

type KnownViewer = (ApiKeyViewer | CustomerViewer) & { readonly brandId: null };

interface TokenRow {
  kind: 'API_KEY' | 'CUSTOMER';
  business_id: string;
  mode: Mode;
  id: string;
  scopes: Scope[] | null;
  customer_id: string | null;
  expires_at: Date | null;
  revoked_at: Date | null;
}

/** Tells who holds a token, by no brand; null for a malformed, unknown, expired or revoked one: they all answer alike. */
export type Authenticate = (token: string, now: Date) => Promise<KnownViewer | null>;

/**
 * Makes the look-up of tokens: one prepared statement, remembered for a second, and the keys that were used noted down for
 * `flushLastUsed`.
 */
export function createAuthenticate(db: Database, noteUse: (apiKeyId: string, at: Date) => void): Authenticate {
  const remembered = new Map<string, { viewer: KnownViewer; expiresAt: Date | null; until: number }>();
  return async (token, now) => {
    const hit = remembered.get(token);
    const tick = performance.now();
    if (hit && hit.until > tick) return !hit.expiresAt || hit.expiresAt > now ? noted(hit.viewer, now, noteUse) : null;
    if (!isWellFormedToken(token, prefixes)) return null;
    const row = await findToken(db, token);
    remembered.delete(token);
    if (!row || row.revoked_at || (row.expires_at && row.expires_at <= now)) return null;
    const viewer = viewerOf(row);
    if (remembered.size >= REMEMBERED_TOKENS) remembered.clear();
    remembered.set(token, { viewer, expiresAt: row.expires_at, until: tick + REMEMBERED_MS });
    return noted(viewer, now, noteUse);
  };
}

function noted(viewer: KnownViewer, now: Date, noteUse: (apiKeyId: string, at: Date) => void): KnownViewer {
  if (viewer.principal === 'API_KEY') noteUse(viewer.apiKeyId, now);
  return viewer;
}

async function findToken(db: Database, token: string): Promise<TokenRow | undefined> {
  const [row] = await db.sql<TokenRow>(
    'authenticate',
    `SELECT 'API_KEY' AS kind, business_id, mode, id, scopes, NULL::uuid AS customer_id, expires_at, revoked_at
       FROM api_keys WHERE token_hash = $1
     UNION ALL
     SELECT 'CUSTOMER', s.business_id, s.mode, s.id, NULL, s.customer_id, s.expires_at, coalesce(s.revoked_at, k.revoked_at)
       FROM customer_sessions s JOIN api_keys k ON k.business_id = s.business_id AND k.id = s.api_key_id
       WHERE s.token_hash = $1`,
    [tokenHash(token)],
  );
  return row;
}

function viewerOf(row: TokenRow): KnownViewer {
  const tenant = { businessId: row.business_id, mode: row.mode, brandId: null };
  return row.kind === 'API_KEY'
    ? { principal: 'API_KEY', ...tenant, apiKeyId: row.id, scopes: new Set(row.scopes) }
    : { principal: 'CUSTOMER', ...tenant, sessionId: row.id, customerId: row.customer_id as string };
}
