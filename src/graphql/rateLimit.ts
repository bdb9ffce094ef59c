import { isIPv6 } from 'node:net';
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

/** Takes one token of the caller's bucket; null when this limit is off. */
export type RateLimiter = (key: string) => RateLimitState | null;

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
  return (key) => {
    const now = clock();
    const bucket = buckets.get(key) ?? { tokens: size.capacity, filledAt: now };
    buckets.delete(key);
    buckets.set(key, bucket); // The map's order is the order of last use.
    if (buckets.size > maxBuckets) buckets.delete(buckets.keys().next().value as string);

    const refill = ((now - bucket.filledAt) / 1_000) * size.refillPerSecond;
    bucket.tokens = Math.min(size.capacity, bucket.tokens + refill);
    bucket.filledAt = now;
    const allowed = bucket.tokens >= 1;
    if (allowed) bucket.tokens -= 1;
    return stateOf(bucket.tokens, size, allowed);
  };
}

function stateOf(tokens: number, size: BucketSize, allowed: boolean): RateLimitState {
  return {
    allowed,
    limit: size.capacity,
    remaining: Math.floor(tokens),
    resetSeconds: Math.ceil((size.capacity - tokens) / size.refillPerSecond),
    retryAfterSeconds: allowed ? 0 : Math.ceil((1 - tokens) / size.refillPerSecond),
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
