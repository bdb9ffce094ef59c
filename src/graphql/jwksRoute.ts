import { createHash } from 'node:crypto';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { sendError, sendThrown } from './httpErrors.js';
import { addressKey, createRateLimiter, rateLimitHeaders, type BucketSize } from './rateLimit.js';

/** Whose keys a caller asks for, in the order in which it is believed. */
export interface KeySetQuestion {
  /** The header `Brand-URL`, else the query parameter `brand`; null: neither was given. */
  readonly brandUrl: string | null;
  /** The host that the request was sent to. */
  readonly host: string;
}

/** What the route needs. */
export interface JwksRouteOptions {
  /** @throws ClientError BRAND_NOT_FOUND */
  readonly keySetOf: (question: KeySetQuestion) => Promise<object>;
  /** Per address; the bucket is this route's own. */
  readonly rateLimit: BucketSize;
}

const MAX_AGE_SECONDS = 60;

/**
 * The keys that license files and revocation lists are verified with, for anybody: `/.well-known/jwks.json`. May be kept for a
 * minute: so long a withdrawn key may still be believed, and a new one not be known yet.
 */
export function jwksRoute(app: FastifyInstance, { keySetOf, rateLimit }: JwksRouteOptions): void {
  const byAddress = createRateLimiter(rateLimit);
  app.get('/.well-known/jwks.json', async (request, reply) => {
    const rate = byAddress(addressKey(request.ip));
    if (rate) reply.headers(rateLimitHeaders(rate));
    if (rate?.allowed === false) {
      return sendError(
        reply,
        429,
        'RATE_LIMITED',
        `Too many requests; try again in ${rate.retryAfterSeconds} seconds.`,
      );
    }
    let body: string;
    try {
      body = JSON.stringify(await keySetOf(questionOf(request)));
    } catch (error) {
      return sendThrown(reply, error);
    }
    const etag = `"${createHash('sha256').update(body).digest('base64url')}"`;
    // Behind a trusted proxy the forwarded host says whose keys: a cache that keeps one answer for all would serve a stranger's.
    const vary = [reply.getHeader('vary'), 'Brand-URL', 'X-Forwarded-Host'].filter(Boolean).join(', ');
    reply.headers({ etag, vary, 'cache-control': `public, max-age=${MAX_AGE_SECONDS}` });
    if (request.headers['if-none-match'] === etag) return reply.code(304).send();
    return reply.type('application/jwk-set+json').send(body);
  });
}

function questionOf({ headers, query, host }: FastifyRequest): KeySetQuestion {
  const { brand } = query as { brand?: unknown };
  const given = [headers['brand-url'], brand].flat().find((url) => typeof url === 'string' && url.trim() !== '');
  return { brandUrl: (given as string | undefined) ?? null, host };
}
