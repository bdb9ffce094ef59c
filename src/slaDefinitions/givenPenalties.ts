import type { SlaPenaltyInput } from '../generated/graphql.js';
import { checkAmount } from '../kernel/amount.js';
import { userError, type UserErrorData } from '../kernel/refusal.js';
import { checkRange } from '../kernel/text.js';
import { millionthsOf } from './measure.js';
import { MAX_COUNT, type Penalty } from './terms.js';

const MOST = 50;

/** Given penalties as the column keeps them. Adds what is wrong with each of them; whether they go together, `checkTerms` says. */
export function givenPenalties(problems: UserErrorData[], given: readonly SlaPenaltyInput[]): Penalty[] {
  if (given.length > MOST) {
    problems.push(
      userError('InvalidInput', ['input', 'penalties'], `Give at most ${MOST}; there are ${given.length}.`),
    );
  }
  return given.map((penalty, index) => {
    const at = ['input', 'penalties', index];
    checkLimit(problems, at, penalty);
    return { metric: penalty.metric, limit: penalty.limit, ...creditOf(problems, at, penalty) };
  });
}

function checkLimit(problems: UserErrorData[], at: readonly (string | number)[], { metric, limit }: SlaPenaltyInput) {
  const isPercent = metric === 'AVAILABILITY';
  const millionths = millionthsOf(limit, isPercent ? 3 : 0);
  const most = BigInt(isPercent ? 100 : MAX_COUNT) * 1_000_000n;
  if (millionths !== null && millionths > 0n && millionths <= most) return;
  const range = isPercent
    ? 'a percentage above 0, to 100, with up to three decimals'
    : `a whole number from 1 to ${MAX_COUNT}`;
  problems.push(userError('InvalidInput', [...at, 'limit'], `Give ${range}; it is ${limit}.`));
}

function creditOf(
  problems: UserErrorData[],
  at: readonly (string | number)[],
  { creditBasisPoints, creditAmount }: SlaPenaltyInput,
): Pick<Penalty, 'basisPoints' | 'amountMinor' | 'currency'> {
  const none = { basisPoints: null, amountMinor: null, currency: null };
  if ((creditBasisPoints == null) === (creditAmount == null)) {
    const message = 'Give `creditBasisPoints` or `creditAmount`, one of the two.';
    problems.push(userError('InvalidInput', [...at, 'creditBasisPoints'], message));
    return none;
  }
  checkRange(problems, [...at, 'creditBasisPoints'], creditBasisPoints, 1, 10_000);
  if (!creditAmount) return { ...none, basisPoints: creditBasisPoints ?? null };
  const minor = checkAmount(problems, creditAmount, 'ABOVE_ZERO', [...at, 'creditAmount']);
  return { ...none, amountMinor: minor.toString(), currency: creditAmount.currencyCode };
}
