export {
  createChecker,
  fileStore,
  type Activation as CheckedActivation,
  type Checker,
  type CheckerOptions,
  type CheckResult,
  type CheckStore,
  type Validation,
} from './checker.js';
export { createClient, newIdempotencyKey, type ClientOptions } from './client.js';
export {
  LatchkeyError,
  orThrow,
  UserErrorsError,
  type AnyUserError,
  type Done,
  type GraphQLErrorData,
} from './errors.js';
export type * from './generated/sdk.js';
