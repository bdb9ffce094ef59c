/** One top-level error of an answer, as the server sends it. */
export interface GraphQLErrorData {
  readonly message: string;
  readonly path?: readonly (string | number)[];
  readonly extensions?: Readonly<Record<string, unknown>>;
}

/** What a `LatchkeyError` knows beside its message. */
export interface LatchkeyErrorDetails {
  readonly code: string;
  readonly retryable: boolean;
  readonly status: number | null;
  readonly requestId: string | null;
  readonly retryAfterSeconds?: number | null;
  readonly errors?: readonly GraphQLErrorData[];
  readonly cause?: unknown;
}

/** A call that was not carried out: the network failed, the server refused the request, or it had a fault. */
export class LatchkeyError extends Error {
  override readonly name = 'LatchkeyError';
  /** The server's `extensions.code`, such as `UNAUTHENTICATED`; `NETWORK` when no answer came, `HTTP` when it was no GraphQL. */
  readonly code: string;
  /** Whether the same call may work in a moment. */
  readonly retryable: boolean;
  /** HTTP status; null when no answer came. */
  readonly status: number | null;
  /** Quote it when you report a problem; null when the server did not answer. */
  readonly requestId: string | null;
  /** How long the server asks to wait; null: it does not say. */
  readonly retryAfterSeconds: number | null;
  /** All top-level errors of the answer. */
  readonly errors: readonly GraphQLErrorData[];

  constructor(message: string, details: LatchkeyErrorDetails) {
    super(message, { cause: details.cause });
    this.code = details.code;
    this.retryable = details.retryable;
    this.status = details.status;
    this.requestId = details.requestId;
    this.retryAfterSeconds = details.retryAfterSeconds ?? null;
    this.errors = details.errors ?? [];
  }
}

/** What every refusal has. */
export interface AnyUserError {
  readonly __typename: string;
  readonly message: string;
  readonly path: readonly string[];
  readonly code: string;
}

/** A mutation that was refused: nothing was changed. Switch on `userErrors[0].__typename` for the data of each kind. */
export class UserErrorsError<E extends AnyUserError = AnyUserError> extends Error {
  override readonly name = 'UserErrorsError';

  constructor(readonly userErrors: readonly E[]) {
    super(userErrors.map(({ code, path, message }) => `${code} at ${path.join('.')}: ${message}`).join('; '));
  }
}

/** A payload that was not refused: its objects are there. */
export type Done<Payload> = { [Field in keyof Payload]: NonNullable<Payload[Field]> };

/**
 * A mutation's payload when it was done, so that its objects need no null checks.
 * @throws UserErrorsError when it was refused
 */
export function orThrow<Payload extends { userErrors: readonly AnyUserError[] }>(payload: Payload): Done<Payload> {
  if (payload.userErrors.length > 0) throw new UserErrorsError(payload.userErrors);
  return payload as Done<Payload>;
}
