import type { ActivationStatus } from '../generated/graphql.js';
import type { Activation } from '../generated/prisma/client.js';
import { userError, type UserErrorData } from '../kernel/refusal.js';
import type { Viewer } from '../kernel/viewer.js';
import type { Metadata } from '../kernel/text.js';
import { endOfActivation, fingerprintProblem } from '../validation/judgeDevice.js';

/** Where an activation stands at an instant. */
export function statusOf(activation: Activation, now: Date): ActivationStatus {
  return endOfActivation(activation, now)?.status ?? 'ACTIVE';
}

/** Its status as SQL over the table's alias `t`; the same rule as `statusOf`. @param now the placeholder of the instant */
export function effectiveStatus(now: string): string {
  return `CASE WHEN t.ended_at IS NOT NULL THEN t.ended_by::text WHEN t.lease_until <= ${now} THEN 'LAPSED' ELSE 'ACTIVE' END`;
}

/** When it ended; null: it has not, at that instant. */
export function endedAtOf(activation: Activation, now: Date): Date | null {
  return endOfActivation(activation, now)?.endedAt ?? null;
}

/** Until when a lease lasts that is renewed at an instant; null: no lease. */
export function leaseEnd(leaseSeconds: number | null, now: Date): Date | null {
  return leaseSeconds === null ? null : new Date(now.getTime() + leaseSeconds * 1_000);
}

/** The pairs, for who may see them: a session sees those of its own customer's devices. */
export function metadataOf({ customerId, metadata }: Activation, viewer: Viewer): Metadata | null {
  return viewer.principal === 'CUSTOMER' && viewer.customerId !== customerId ? null : (metadata as Metadata);
}

/** Adds a problem when a fingerprint is blank or too long. */
export function checkFingerprint(problems: UserErrorData[], fingerprint: string): void {
  if (!fingerprintProblem(fingerprint)) return;
  problems.push(
    userError('InvalidInput', ['input', 'fingerprint'], 'Give 1 to 255 characters that are not all spaces.'),
  );
}
