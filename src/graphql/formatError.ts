import { GraphQLError, type GraphQLFormattedError } from 'graphql';
import { ClientError } from '../kernel/clientError.js';
import { describeFault } from '../kernel/describeFault.js';

/** What formatting an error needs to know of its request. */
export interface ErrorReport {
  readonly requestId: string;
  /** The request's own log, which adds the request id. Told of each masked fault, without variables: they may be secret. */
  readonly log: { error(fields: object, message: string): void };
}

/** What the caller reads of a fault that is ours. */
export const faultMessage = 'Something went wrong on our side. Quote the request id when you report it.';
const unavailable = 'The server cannot reach its database just now. Nothing was lost; try again in a moment.';
const timedOut = 'The request took too long and was stopped. Ask for less, or try again.';

/** PostgreSQL, Node and Prisma codes that mean: the database is away, or too busy to finish this; the same request may work soon. */
const unavailableCodes =
  /^(ECONNREFUSED|ECONNRESET|ECONNABORTED|ETIMEDOUT|ENOTFOUND|EAI_AGAIN|EPIPE|57P0[1-5]|08\w{3}|53300|40001|40P01|55P03|P1001|P1002|P1008|P1017|P2024|P2028|P2034|P2037|DatabaseNotReachable|ConnectionClosed|SocketTimeout|TooManyConnections|TransactionWriteConflict)$/;
/** `pg` and its pool tell these only in words. */
const unavailableMessages =
  /^(Connection terminated|Query read timeout|timeout exceeded when trying to connect|Client has encountered a connection error|Cannot use a pool after calling end)/;

/**
 * An error as the caller sees it, always with `extensions.code` and `extensions.requestId`. A GraphQLError with a code and a
 * ClientError are meant for the caller and keep their message. Everything else is a fault: logged with its stack, and masked,
 * so that no SQL, path or library code leaves the server.
 */
export function formatError(error: GraphQLError, { requestId, log }: ErrorReport): GraphQLFormattedError {
  const place = { locations: error.toJSON().locations, path: error.path };
  const code = codeOf(error);
  if (code !== null) {
    const { http: _http, validationErrorCode: _code, stacktrace: _stack, ...extensions } = error.extensions;
    return { message: error.message, ...place, extensions: { ...extensions, code, requestId } };
  }
  const cause = rootOf(error);
  const { message, ...fault } = faultOf(cause);
  log.error({ code: fault.code, path: error.path?.join('.'), err: describeFault(cause) }, 'fault in a request');
  return { message, ...place, extensions: { ...fault, requestId } };
}

/** The code of an error that is meant for the caller; null for a fault. */
function codeOf(error: GraphQLError): string | null {
  const { code, validationErrorCode } = error.extensions;
  const root = rootOf(error);
  if (root instanceof ClientError) return root.extensions.code;
  if (!(root instanceof GraphQLError)) return null;
  if (/^Document contains more (than|that) /.test(error.message.replace('Syntax Error: ', ''))) return 'TOKEN_LIMIT';
  if (typeof validationErrorCode === 'string') return validationErrorCode;
  if (typeof code === 'string' && code !== 'INTERNAL_SERVER_ERROR') return code;
  // graphql-js coerces arguments while it executes: the caller's mistake, without a code of its own.
  return error.message.startsWith('Argument "') ? 'BAD_USER_INPUT' : null;
}

interface Fault {
  readonly code: string;
  readonly message: string;
  readonly retryable?: boolean;
}

/** The three kinds of fault, told by what stands anywhere in an error's chain of causes. */
export function faultOf(error: unknown): Fault {
  const signs = signsOf(error);
  if (signs.codes.includes('57014')) return { code: 'REQUEST_TIMEOUT', message: timedOut };
  const away =
    signs.codes.some((code) => unavailableCodes.test(code)) ||
    signs.messages.some((text) => unavailableMessages.test(text));
  if (away) return { code: 'UNAVAILABLE', message: unavailable, retryable: true };
  return { code: 'INTERNAL_SERVER_ERROR', message: faultMessage };
}

/** Codes and messages of an error and its causes, in the shapes that pg, Prisma and its adapter nest them in. */
function signsOf(error: unknown, depth = 0): { codes: string[]; messages: string[] } {
  const found = { codes: [] as string[], messages: [] as string[] };
  if (typeof error !== 'object' || error === null || depth > 6) return found;
  const fields = error as Record<string, unknown>;
  for (const name of ['code', 'originalCode', 'kind', 'errorCode']) {
    if (typeof fields[name] === 'string') found.codes.push(fields[name]);
  }
  if (typeof fields.message === 'string') found.messages.push(fields.message);
  const inner: unknown[] = ['originalError', 'cause', 'meta', 'driverAdapterError'].map((name) => fields[name]);
  if (Array.isArray(fields.errors)) inner.push(...(fields.errors as unknown[]));
  for (const nested of inner) {
    const signs = signsOf(nested, depth + 1);
    found.codes.push(...signs.codes);
    found.messages.push(...signs.messages);
  }
  return found;
}

function rootOf(error: unknown): unknown {
  let root = error;
  for (let depth = 0; root instanceof GraphQLError && root.originalError != null && depth < 10; depth += 1) {
    root = root.originalError;
  }
  return root;
}

const statusOfCode = new Map<unknown, number>([
  ['UNAUTHENTICATED', 401],
  ['RATE_LIMITED', 429],
  ['UNAVAILABLE', 503],
  ['REQUEST_TIMEOUT', 504],
  ['BAD_REQUEST', 400],
  ['BRAND_NOT_FOUND', 400],
]);

/** HTTP status that an answer's errors ask for; null when they leave it as it is. */
export function statusOfErrors(errors: readonly GraphQLFormattedError[], mutationFieldCount: number): number | null {
  for (const [code, status] of statusOfCode) {
    if (errors.some((error) => error.extensions?.code === code)) return status;
  }
  const conflict = errors.some((error) => error.extensions?.code === 'IDEMPOTENCY_CONFLICT');
  return conflict && mutationFieldCount === 1 ? 409 : null;
}
