/** Codes of protocol errors: mistakes in how the API was called, not refusals of what was asked for. */
export type ClientErrorCode =
  | 'BAD_REQUEST'
  | 'BAD_USER_INPUT'
  | 'BRAND_NOT_FOUND'
  | 'FORBIDDEN'
  | 'IDEMPOTENCY_CONFLICT'
  | 'RATE_LIMITED'
  | 'UNAUTHENTICATED';

/**
 * A mistake of the client that ends up in the answer's top-level `errors`. graphql-js copies `extensions` into the error that
 * it makes of it, and the code there tells the formatter that the message may be shown.
 */
export class ClientError extends Error {
  readonly extensions: { code: ClientErrorCode } & Record<string, unknown>;
  constructor(code: ClientErrorCode, message: string, extensions: Record<string, unknown> = {}) {
    super(message);
    this.name = 'ClientError';
    this.extensions = { code, ...extensions };
  }
}
