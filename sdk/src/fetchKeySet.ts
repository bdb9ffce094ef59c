import { LatchkeyError } from './errors.js';
import type { KeySet } from './signedText.js';

/** Whose keys to load, and from where. */
export interface FetchKeySetOptions {
  /** Address of the GraphQL endpoint, such as `https://licenses.example.com/graphql`. */
  readonly url: string;
  /** Host name of the brand; needless when the server has one business. */
  readonly brandUrl?: string;
  /** Default: the platform's. */
  readonly fetch?: typeof globalThis.fetch;
}

/**
 * Loads the keys that license files are verified with, for a program to keep.
 * @throws LatchkeyError when the server cannot be reached, or knows no such brand
 */
export async function fetchKeySet({ url, brandUrl, fetch = globalThis.fetch }: FetchKeySetOptions): Promise<KeySet> {
  const headers = brandUrl ? { 'brand-url': brandUrl } : undefined;
  const details = { code: 'NETWORK', retryable: true, status: null, requestId: null };
  let response: Response;
  try {
    response = await fetch(new URL('/.well-known/jwks.json', url), {
      headers,
      cache: 'no-cache',
      signal: AbortSignal.timeout(15_000),
    });
  } catch (cause) {
    throw new LatchkeyError('The server could not be reached.', { ...details, cause });
  }
  if (response.ok) return (await response.json()) as KeySet;
  const { status } = response;
  const retryable = [429, 502, 503].includes(status);
  throw new LatchkeyError(`The server answered with HTTP status ${status}.`, {
    ...details,
    code: 'HTTP',
    status,
    retryable,
  });
}
