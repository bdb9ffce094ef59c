import { refuseIfAny, userError, type UserErrorData } from '../kernel/refusal.js';
import { checkLength, presentText } from '../kernel/text.js';
import type { SqlReader } from '../kernel/transaction.js';

/**
 * The reason that a caller gave for the history, trimmed; null: none. Asked inside the transaction, behind the claim of the
 * idempotency key: a retry that comes after the instant is answered, not refused.
 * @throws Refusal InvalidInput when the reason is too long or `at` lies in the past, both at once
 */
export function checkedReason(
  { ctx: { now } }: SqlReader,
  { reason: given, at }: { reason?: string | null; at?: Date | null },
): string | null {
  const reason = presentText(given);
  const problems: UserErrorData[] = [];
  checkLength(problems, ['input', 'reason'], reason, 1, 2000);
  if (at && at < now) {
    const message = 'The instant lies in the past. Give a future one, or leave it out for at once.';
    problems.push(userError('InvalidInput', ['input', 'at'], message));
  }
  refuseIfAny(problems);
  return reason;
}
