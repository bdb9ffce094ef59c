import { ClientError, GraphQLClient } from 'graphql-request';
import { LatchkeyError, type GraphQLErrorData } from './errors.js';
import { getSdk, type Sdk, type SdkFunctionWrapper } from './generated/sdk.js';

/** Where the server is, and who calls it. */
export interface ClientOptions {
  /** Address of the GraphQL endpoint, such as `https://licenses.example.com/graphql`. */
  readonly url: string;
  /** An API key, a customer session's token, or the operator's. */
  readonly token?: string;
  /** Host name of the brand to work in, such as `shop.example.com`; absent: the primary brand. */
  readonly brandUrl?: string;
  /** The person behind the call, for the history and for `claimGrant`. */
  readonly actor?: string;
  /** Default: the platform's. */
  readonly fetch?: typeof globalThis.fetch;
  /** Milliseconds that one attempt may take; default 15,000. */
  readonly timeoutMs?: number;
  /** How often a safe call is tried again; default 2. */
  readonly retries?: number;
}

const DEFAULT_TIMEOUT_MS = 15_000;
const DEFAULT_RETRIES = 2;
const FIRST_WAIT_MS = 200;
const LONGEST_WAIT_MS = 30_000;

/**
 * A typed client: one function for each operation of `sdk/operations`, named as the field that it calls.
 *
 * Queries, and mutations whose input has an `idempotencyKey`, are tried again after network failures, 429, 502 and 503; other
 * mutations are not, because nobody could tell whether they had their effect. A field that the token's scopes do not cover is
 * null.
 * @returns functions that throw LatchkeyError when a call was not carried out; refusals are data (see `orThrow`)
 */
export function createClient(options: ClientOptions): Sdk {
  const client = new GraphQLClient(options.url, {
    headers: headersOf(options),
    fetch: fetchWithin(options.timeoutMs ?? DEFAULT_TIMEOUT_MS, options.fetch ?? globalThis.fetch),
  });
  return getSdk(client, retrying(options.retries ?? DEFAULT_RETRIES));
}

/** A new idempotency key. Keep it with what you are about to do, and give the same one when you try again. */
export function newIdempotencyKey(): string {
  return crypto.randomUUID();
}

function headersOf({ token, brandUrl, actor }: ClientOptions): Record<string, string> {
  return {
    ...(token ? { authorization: `Bearer ${token}` } : {}),
    ...(brandUrl ? { 'brand-url': brandUrl } : {}),
    // Headers carry bytes, one a character; the server reads them as UTF-8.
    ...(actor ? { 'x-actor': String.fromCharCode(...new TextEncoder().encode(actor)) } : {}),
  };
}

function fetchWithin(timeoutMs: number, fetch: typeof globalThis.fetch): typeof globalThis.fetch {
  return (input, init) => {
    const timeout = AbortSignal.timeout(timeoutMs);
    return fetch(input, { ...init, signal: init?.signal ? AbortSignal.any([init.signal, timeout]) : timeout });
  };
}

function retrying(retries: number): SdkFunctionWrapper {
  return async (action, _operationName, operationType, variables) => {
    const safe = operationType === 'query' || hasIdempotencyKey(variables);
    for (let attempt = 0; ; attempt++) {
      try {
        return await action();
      } catch (error) {
        const allowed = allowedData(error);
        if (allowed !== undefined) return allowed as Awaited<ReturnType<typeof action>>;
        const failure = latchkeyError(error);
        if (!safe || !failure.retryable || attempt >= retries) throw failure;
        await wait(failure.retryAfterSeconds, attempt);
      }
    }
  };
}

function hasIdempotencyKey(variables: unknown): boolean {
  const { input } = (variables ?? {}) as { input?: { idempotencyKey?: string | null } };
  return Boolean(input?.idempotencyKey);
}

/**
 * The data of an answer whose only errors are fields that the token may not read. A mutation had its effect then, and an error
 * in its place would hide it.
 */
function allowedData(error: unknown): unknown {
  if (!(error instanceof ClientError)) return undefined;
  const { data, errors = [] } = error.response as { data?: unknown; errors?: readonly GraphQLErrorData[] };
  const hidden = errors.every(
    ({ path, extensions }) => extensions?.['code'] === 'FORBIDDEN' && (path?.length ?? 0) > 1,
  );
  return data && errors.length > 0 && hidden ? data : undefined;
}

function latchkeyError(error: unknown): LatchkeyError {
  if (!(error instanceof ClientError)) return networkError(error);
  const { status, headers, errors = [] } = error.response as unknown as AnswerWithErrors;
  const [first] = errors;
  const extensions = first?.extensions ?? {};
  const wait = Number(headers?.get('retry-after') ?? NaN);
  return new LatchkeyError(first?.message ?? `The server answered with HTTP status ${status}.`, {
    code: typeof extensions['code'] === 'string' ? extensions['code'] : 'HTTP',
    retryable: [429, 502, 503].includes(status) || extensions['retryable'] === true,
    status,
    requestId: typeof extensions['requestId'] === 'string' ? extensions['requestId'] : null,
    retryAfterSeconds: Number.isFinite(wait) ? wait : null,
    errors,
    cause: error,
  });
}

interface AnswerWithErrors {
  readonly status: number;
  readonly headers?: Headers;
  readonly errors?: readonly GraphQLErrorData[];
}

function networkError(error: unknown): LatchkeyError {
  const reason = error instanceof Error ? error : new Error(String(error));
  const code = (reason.cause as { code?: string } | undefined)?.code;
  // A caller that aborted wants no further attempt; a timeout of ours may have better luck.
  const aborted = reason.name === 'AbortError';
  return new LatchkeyError(`The server could not be reached: ${code ?? reason.message}.`, {
    code: aborted ? 'ABORTED' : 'NETWORK',
    retryable: !aborted,
    status: null,
    requestId: null,
    cause: error,
  });
}

/** Waits as long as the server asks, else longer from attempt to attempt, each client a little differently. */
function wait(retryAfterSeconds: number | null, attempt: number): Promise<void> {
  const asked =
    retryAfterSeconds === null ? FIRST_WAIT_MS * 2 ** attempt * (0.5 + Math.random()) : retryAfterSeconds * 1_000;
  return new Promise((resolve) => setTimeout(resolve, Math.min(asked, LONGEST_WAIT_MS)));
}
