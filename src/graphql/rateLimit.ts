import { isIPv6 } from 'node:net';
import { ClientError } from '../kernel/clientError.js';
import type { GuessAllowance } from '../kernel/requestContext.js';
import type { Viewer } from '../kernel/viewer.js';

/** `capacity` requests at once, then `refillPerSecond`. A capacity of 0 lets everything through. */
export interface BucketSize {
  readonly capacity: number;
  readonly refillPerSecond: number;
}

/** What a caller is told after each request. */
export interface RateLimitState {
  readonly allowed: boolean;
  readonly limit: number;
  /** Requests left at once. */
  readonly remaining: number;
  /** Seconds until the bucket is full again. */
  readonly resetSeconds: number;
  /** Seconds until one more request is allowed; 0 when one is. */
  readonly retryAfterSeconds: number;
}

/** Takes tokens of the caller's bucket, one unless told otherwise; fewer than none gives back. Null when this limit is off. */
export type RateLimiter = (key: string, tokens?: number) => RateLimitState | null;

interface Bucket {
  tokens: number;
  filledAt: number;
}

/**
 * Token buckets in this process's memory. At most `maxBuckets` callers are remembered: the one who has been silent longest is
 * forgotten first, and starts again with a full bucket, so that a flood of new addresses costs memory that is bounded.
 * @param clock milliseconds that never run backwards
 */
export function createRateLimiter(
  size: BucketSize,
  clock: () => number = () => performance.now(),
  maxBuckets = 100_000,
): RateLimiter {
  if (size.capacity === 0) return () => null;
  const buckets = new Map<string, Bucket>();
  return (key, tokens = 1) => {
    const now = clock();
    const bucket = buckets.get(key) ?? { tokens: size.capacity, filledAt: now };
    buckets.delete(key);
    buckets.set(key, bucket); // The map's order is the order of last use.
    if (buckets.size > maxBuckets) buckets.delete(buckets.keys().next().value as string);

    const refill = ((now - bucket.filledAt) / 1_000) * size.refillPerSecond;
    bucket.tokens = Math.min(size.capacity, bucket.tokens + refill);
    bucket.filledAt = now;
    const allowed = bucket.tokens >= tokens;
    if (allowed) bucket.tokens = Math.min(size.capacity, bucket.tokens - tokens);
    return stateOf(bucket.tokens, size, allowed ? 0 : tokens - bucket.tokens);
  };
}

/** @param missing tokens that the bucket lacks for what was asked; 0: it was allowed */
function stateOf(tokens: number, size: BucketSize, missing: number): RateLimitState {
  return {
    allowed: missing === 0,
    limit: size.capacity,
    remaining: Math.floor(tokens),
    resetSeconds: Math.ceil((size.capacity - tokens) / size.refillPerSecond),
    retryAfterSeconds: Math.ceil(missing / size.refillPerSecond),
  };
}

/** The allowance of each address for license keys and discount codes that are not known; one bucket however they are asked for. */
export function createGuessLimiter(size: BucketSize): (ip: string) => GuessAllowance | null {
  if (size.capacity === 0) return () => null;
  const limiter = createRateLimiter(size);
  return (ip) => {
    const key = addressKey(ip);
    return {
      take(count) {
        const state = limiter(key, count);
        if (!state || state.allowed) return;
        const message = `Too many keys or codes that are not known; try again in ${state.retryAfterSeconds} seconds.`;
        throw new ClientError('RATE_LIMITED', message, { retryAfterSeconds: state.retryAfterSeconds });
      },
      giveBack: (count) => void limiter(key, -count),
    };
  };
}

/** Who the caller is to the rate limit and the log: an id, never a secret. Null for callers without a token. */
export function principalOf(viewer: Viewer): string | null {
  switch (viewer.principal) {
    case 'API_KEY':
      return `key:${viewer.apiKeyId}`;
    case 'CUSTOMER':
      return `session:${viewer.sessionId}`;
    case 'OPERATOR':
      return 'operator';
    case 'SYSTEM':
      return 'system';
    case 'PUBLIC':
      return null;
  }
}

/** The bucket of an address. An IPv6 caller owns a whole /64, so that is what counts. */
export function addressKey(ip: string): string {
  if (!isIPv6(ip)) return ip;
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(ip)?.[1];
  if (mapped !== undefined) return mapped;
  const [head = '', tail] = ip.split('%')[0]!.split('::');
  const groups = head === '' ? [] : head.split(':');
  const missing = tail === undefined ? 0 : 8 - groups.length - (tail === '' ? 0 : tail.split(':').length);
  return [...groups, ...Array<string>(Math.max(missing, 0)).fill('0'), ...(tail ?? '').split(':')]
    .slice(0, 4)
    .join(':');
}

/** The answer's headers; `RateLimit-Reset` and `Retry-After` are seconds from now. */
export function rateLimitHeaders(state: RateLimitState): Record<string, string> {
  return {
    'ratelimit-limit': String(state.limit),
    'ratelimit-remaining': String(state.remaining),
    'ratelimit-reset': String(state.resetSeconds),
    ...(state.allowed ? {} : { 'retry-after': String(state.retryAfterSeconds) }),
  };
}
