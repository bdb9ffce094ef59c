import type { LicenseKeyCheckCode } from '../generated/graphql.js';
import type { Activation } from '../generated/prisma/client.js';
import type { KeyFacts, Question } from './facts.js';

const MAX_FINGERPRINT = 255;
/** Of a lease; less than that left is worth a heartbeat. */
const SOON = 0.25;

/** What is wrong with a fingerprint in itself; null: nothing. */
export function fingerprintProblem(fingerprint: string): 'FINGERPRINT_BLANK' | 'FINGERPRINT_TOO_LONG' | null {
  if (fingerprint.trim() === '') return 'FINGERPRINT_BLANK';
  return [...fingerprint].length > MAX_FINGERPRINT ? 'FINGERPRINT_TOO_LONG' : null;
}

/** How an activation has ended at an instant, whether or not a lapsed lease has been written; null: it has not. */
export function endOfActivation(
  { endedAt, endedBy, leaseUntil }: Pick<Activation, 'endedAt' | 'endedBy' | 'leaseUntil'>,
  now: Date,
): { status: 'LAPSED' | 'DEACTIVATED'; endedAt: Date } | null {
  if (endedAt !== null && endedBy !== null) return { status: endedBy, endedAt };
  return leaseUntil !== null && leaseUntil <= now ? { status: 'LAPSED', endedAt: leaseUntil } : null;
}

/** Judges the device as it stands now. A key counts devices when it has a limit, or when the device was activated before. */
export function judgeDevice(
  { key, activationsUsed, device }: KeyFacts,
  { fingerprint }: Question,
  now: Date,
): LicenseKeyCheckCode[] {
  const limit = key.activationsLimit;
  if (fingerprint === null) return limit === null ? [] : ['FINGERPRINT_MISSING'];
  if (fingerprintProblem(fingerprint)) return [];
  if (!device) {
    if (limit === null) return [];
    return ['DEVICE_NOT_ACTIVATED', ...(activationsUsed >= limit ? (['ACTIVATION_LIMIT_REACHED'] as const) : [])];
  }
  const { activation, rank } = device;
  const end = endOfActivation(activation, now);
  if (end) {
    const code = end.status === 'LAPSED' ? 'DEVICE_LEASE_LAPSED' : 'DEVICE_DEACTIVATED';
    return [code, ...(limit !== null && activationsUsed >= limit ? (['ACTIVATION_LIMIT_REACHED'] as const) : [])];
  }
  const codes: LicenseKeyCheckCode[] = [];
  const { leaseUntil, leaseSeconds } = activation;
  if (leaseUntil && leaseSeconds && leaseUntil.getTime() - now.getTime() < leaseSeconds * 1_000 * SOON) {
    codes.push('DEVICE_LEASE_LAPSES_SOON');
  }
  if (limit !== null && rank >= limit) codes.push('ACTIVATION_LIMIT_EXCEEDED');
  return codes;
}
