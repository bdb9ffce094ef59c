import type { CreateLicenseInput } from '../generated/graphql.js';
import { userError, type UserErrorData } from '../kernel/refusal.js';
import { tenantOf, type RequestContext } from '../kernel/requestContext.js';
import { checkMetadata } from '../kernel/text.js';
import { assigneeProblems } from './assignment.js';

/** What is wrong with the fields of a new license: InvalidInput, ModeMismatch; all at once, no I/O. */
export function createLicenseProblems(ctx: RequestContext, input: CreateLicenseInput): UserErrorData[] {
  const { assignedTo, activationDate, testMode } = input;
  const problems: UserErrorData[] = [];
  assigneeProblems(problems, assignedTo);
  if (activationDate && activationDate.getUTCFullYear() < 1) {
    problems.push(userError('InvalidInput', ['input', 'activationDate'], 'Give a day of the year 1 or later.'));
  }
  checkMetadata(problems, ['input', 'details'], input.details);
  checkMetadata(problems, ['input', 'metadata'], input.metadata);
  const { mode } = tenantOf(ctx);
  if (testMode != null && testMode !== (mode === 'TEST')) {
    const message = `The token works on ${mode.toLowerCase()} data. Leave \`testMode\` out, or use a token of the other mode.`;
    problems.push(userError('ModeMismatch', ['input', 'testMode'], message));
  }
  return problems;
}
