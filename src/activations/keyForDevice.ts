import type { LicenseKeyCheckCode } from '../generated/graphql.js';
import { ClientError } from '../kernel/clientError.js';
import { IdempotentReplay } from '../kernel/idempotency.js';
import { refusal, type Refusal } from '../kernel/refusal.js';
import type { RequestContext, Tenant } from '../kernel/requestContext.js';
import type { SqlTx } from '../kernel/transaction.js';
import { checksOf, isValid } from '../validation/checks.js';
import type { KeyFacts } from '../validation/facts.js';
import { judge } from '../validation/judge.js';
import { keyHolder, modeAsked, type KeyHolder } from '../validation/keyHolder.js';
import { keyProblem } from '../validation/keyProblem.js';
import { readFacts } from '../validation/readFacts.js';

/** What the payloads of activations are made from. */
export interface ActivationRefs extends Tenant {
  readonly activationId: string;
}

/** Whose keys a mutation is about. */
export interface DeviceTenant extends Tenant {
  readonly holder: KeyHolder;
}

/** Which key, on which device. */
export interface KeyAndDevice {
  readonly key: string;
  readonly fingerprint: string | null;
}

/**
 * Whose keys the caller's device uses.
 * @throws Refusal ModeMismatch; ClientError BRAND_NOT_FOUND
 */
export async function deviceTenant(
  ctx: RequestContext,
  { testMode }: { testMode?: boolean | null },
): Promise<DeviceTenant> {
  const holder = await keyHolder(ctx);
  const mode = modeAsked(holder, testMode);
  if (mode) return { holder, businessId: holder.businessId, mode };
  const message = 'The token is for the other mode. Leave out `testMode`, or use a token of that mode.';
  throw refusal('ModeMismatch', ['input', 'testMode'], message);
}

/**
 * Lets a caller try one key: an unknown one costs its allowance.
 * @param work calls `known` when it has found the key
 * @throws ClientError RATE_LIMITED
 */
export async function tryingKey<Result>(
  { guesses }: RequestContext,
  work: (known: () => void) => Promise<Result>,
): Promise<Result> {
  guesses?.take(1);
  let isPaid = true;
  const known = () => {
    if (isPaid) guesses?.giveBack(1);
    isPaid = false;
  };
  try {
    return await work(known);
  } catch (error) {
    if (hadFoundBefore(error)) known();
    throw error;
  }
}

/** An idempotency key that has been used is kept with the license key, which was found then. */
function hadFoundBefore(error: unknown): boolean {
  if (error instanceof IdempotentReplay) return true;
  return error instanceof ClientError && error.extensions.code === 'IDEMPOTENCY_CONFLICT';
}

/** A key that was looked up: what is known of it when it is there, and every code but those of devices. */
export interface FoundKey {
  readonly found: KeyFacts | null;
  /** Whether there is such a key at all, also in the other mode or of another brand. */
  readonly isKnown: boolean;
  readonly codes: readonly LicenseKeyCheckCode[];
}

const ofDevices: ReadonlySet<LicenseKeyCheckCode> = new Set(['FINGERPRINT_MISSING']);

/** A step, one statement: looks a key up and judges it as it is now. */
export async function findKey(tx: SqlTx, tenant: DeviceTenant, { key, fingerprint }: KeyAndDevice): Promise<FoundKey> {
  const problem = keyProblem(tenant.holder, key);
  if (problem) return { found: null, isKnown: false, codes: [problem] };
  const { now } = tx.ctx;
  const question = { productSku: null, version: null, customerNumber: null, at: now };
  const [facts] = await readFacts(tx.ctx, tx.sql, tenant.holder, [
    { ...question, key, mode: tenant.mode, fingerprint },
  ]);
  if (!facts) throw new Error('a question had no answer');
  const { codes, isTold } = judge(tenant.holder, facts, { ...question, fingerprint: null }, now);
  const isKnown = facts.found !== null || facts.isInOtherMode;
  return { found: isTold ? facts.found : null, isKnown, codes: [...codes].filter((code) => !ofDevices.has(code)) };
}

/** Why a key may not be used on any device; null when it may. */
export function whyNotValid({ codes }: FoundKey): Refusal | null {
  const checks = checksOf(new Set(codes));
  if (isValid(checks)) return null;
  const [first] = checks.filter(({ severity }) => severity === 'ERROR');
  return refusal('LicenseKeyNotValid', ['input', 'key'], `${first?.message} ${first?.remedy}`, { checks });
}
