import type { ResolversInterfaceTypes, UserErrorCode } from '../generated/graphql.js';

type UserErrorType = ResolversInterfaceTypes<Record<string, unknown>>['UserError'];

/** Names of the SDL types that implement `UserError`. */
export type UserErrorName = UserErrorType['__typename'];

/** An expected refusal as plain data: what a payload's `userErrors` holds. */
export interface UserErrorData {
  readonly __typename: UserErrorName;
  readonly message: string;
  /** From `input` down; list indexes as strings. */
  readonly path: readonly string[];
  readonly code: UserErrorCode;
}

/** The fields that a refusal's type has beyond message, path and code. */
type DataOf<Name extends UserErrorName> = Omit<
  Extract<UserErrorType, { __typename: Name }>,
  '__typename' | 'message' | 'path' | 'code'
>;

/** Thrown by use cases and steps. Throwing is what rolls the transaction back, so a refusal leaves nothing. */
export class Refusal extends Error {
  constructor(readonly errors: readonly UserErrorData[]) {
    super(errors.map((error) => `${error.path.join('.')}: ${error.message}`).join('; '));
    this.name = 'Refusal';
  }
}

/**
 * Describes one refusal. Its code is its type's name in upper snake case.
 * @param name the SDL type, such as `InsufficientFunds`
 * @param path where in the input, from `input` down
 * @param message what is wrong and what to do
 * @param data the type's own fields, where it has some
 */
export function userError<Name extends UserErrorName>(
  name: Name,
  path: readonly (string | number)[],
  message: string,
  ...data: keyof DataOf<Name> extends never ? [] : [DataOf<Name>]
): UserErrorData {
  return {
    __typename: name,
    message,
    path: path.map(String),
    code: name.replace(/(?<!^)(?=[A-Z])/g, '_').toUpperCase() as UserErrorCode,
    ...(data[0] as object | undefined),
  };
}

/** A refusal to throw; the parameters are those of `userError`. */
export function refusal<Name extends UserErrorName>(...of: Parameters<typeof userError<Name>>): Refusal {
  return new Refusal([userError(...of)]);
}

/** Throws all problems that were found, if any: rules that need no I/O report everything at once. */
export function refuseIfAny(problems: readonly UserErrorData[]): void {
  if (problems.length > 0) throw new Refusal(problems);
}
