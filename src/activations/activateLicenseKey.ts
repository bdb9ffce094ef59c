import type { ActivateLicenseKeyInput } from '../generated/graphql.js';
import { refusal, refuseIfAny, userError, type UserErrorData } from '../kernel/refusal.js';
import type { RequestContext } from '../kernel/requestContext.js';
import { checkLength, checkMetadata, checkRange, presentText } from '../kernel/text.js';
import { inSqlTransaction, type SqlTx } from '../kernel/transaction.js';
import { ERASED, erasedFingerprint } from '../validation/erasedFingerprint.js';
import type { KeyFacts } from '../validation/facts.js';
import { checkFingerprint } from './activation.js';
import { addActivation, renewActivation, reviveActivation, type WantedActivation } from './writeActivation.js';
import {
  deviceTenant,
  findKey,
  tryingKey,
  whyNotValid,
  type ActivationRefs,
  type DeviceTenant,
} from './keyForDevice.js';
import { lockActivation } from './lockActivation.js';
import { lockKey } from './lockKey.js';
import { takeSeat } from './seats.js';

const MIN_LEASE = 60;
const MAX_LEASE = 31_536_000;

/**
 * Binds a key to a device, which takes a seat: a limit of L gives exactly L, however many ask at once. A device that has its
 * seat keeps it. Refuses in this order: what is wrong with the fields (all at once), the key, the limit.
 * @throws Refusal InvalidInput, ModeMismatch, LicenseKeyNotValid, ActivationLimitReached; ClientError BRAND_NOT_FOUND,
 *   RATE_LIMITED
 */
export async function activateLicenseKey(ctx: RequestContext, input: ActivateLicenseKeyInput): Promise<ActivationRefs> {
  refuseIfAny(problemsOf(input));
  const tenant = await deviceTenant(ctx, input);
  const { key, fingerprint } = input;
  return tryingKey(ctx, (known) =>
    inSqlTransaction(ctx, async (tx) => {
      const found = await lockValidKey(tx, tenant, { key, fingerprint }, known);
      const activationId = await seat(tx, tenant, found, wantedBy(input));
      return { activationId, businessId: tenant.businessId, mode: tenant.mode };
    }),
  );
}

function problemsOf({ fingerprint, name, metadata, leaseSeconds }: ActivateLicenseKeyInput): UserErrorData[] {
  const problems: UserErrorData[] = [];
  checkFingerprint(problems, fingerprint);
  if (fingerprint.startsWith(ERASED)) {
    const message = `Fingerprints that begin with ${ERASED} stand for devices of erased customers. Give another one.`;
    problems.push(userError('InvalidInput', ['input', 'fingerprint'], message));
  }
  checkLength(problems, ['input', 'name'], presentText(name), 1, 255);
  checkMetadata(problems, ['input', 'metadata'], metadata);
  checkRange(problems, ['input', 'leaseSeconds'], leaseSeconds, MIN_LEASE, MAX_LEASE);
  return problems;
}

function wantedBy({ fingerprint, name, metadata, leaseSeconds }: ActivateLicenseKeyInput): WantedActivation {
  return { fingerprint, name: presentText(name), metadata: metadata ?? {}, leaseSeconds: leaseSeconds ?? null };
}

/** The key, valid and locked. What changed between reading and locking it shows in its version, and it is read again. */
async function lockValidKey(
  tx: SqlTx,
  tenant: DeviceTenant,
  asked: { key: string; fingerprint: string },
  known: () => void,
): Promise<KeyFacts> {
  let key = await findKey(tx, tenant, asked);
  if (key.isKnown) known();
  if (key.found) {
    const locked = await lockKey(tx, tenant, key.found.key.id);
    if (locked?.version !== key.found.key.version) key = await findKey(tx, tenant, asked);
  }
  const why = whyNotValid(key);
  if (why || !key.found) throw why ?? new Error('a valid license key was not found');
  return key.found;
}

/** @returns the id of the activation */
async function seat(
  tx: SqlTx,
  tenant: DeviceTenant,
  { key, isErased }: KeyFacts,
  asked: WantedActivation,
): Promise<string> {
  const current = await lockActivation(tx, tenant, key.id, asked.fingerprint);
  // The program works on for whom is erased, but no more is noted about the person.
  const unnamed = { name: null, metadata: {}, fingerprint: erasedFingerprint(key.id, asked.fingerprint) };
  const wanted = isErased ? { ...asked, ...unnamed } : asked;
  if (current && current.endedAt === null) return renewActivation(tx, current, wanted);
  if (!(await takeSeat(tx, tenant, key.id))) {
    const limit = key.activationsLimit as number;
    const message = `The key is activated on ${limit} devices, which is as many as it may be. Deactivate it on another one.`;
    throw refusal('ActivationLimitReached', ['input', 'key'], message, { limit });
  }
  if (current) return reviveActivation(tx, current, wanted);
  return addActivation(tx, tenant, { licenseKeyId: key.id, customerId: key.customerId }, wanted);
}
