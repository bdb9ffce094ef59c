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
export { fetchKeySet, type FetchKeySetOptions } from './fetchKeySet.js';
export type { KeySet } from './signedText.js';
export {
  verifyLicenseFile,
  type LicenseFileCheck,
  type LicenseFileClaims,
  type LicenseFileReason,
  type VerifyLicenseFileOptions,
} from './verifyLicenseFile.js';
export type * from './generated/sdk.js';
