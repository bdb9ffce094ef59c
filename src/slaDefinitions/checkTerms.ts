import { userError, type UserErrorData } from '../kernel/refusal.js';
import { decimalOf } from './measure.js';
import { isWorse, limitOf, metrics, targetOf, type Penalty, type Terms } from './terms.js';

/** Where an input says what is promised of a metric. */
const fields = { AVAILABILITY: 'availability', RESPONSE_TIME: 'responseTime', SUPPORT_HOURS: 'supportHours' } as const;

interface Placed {
  readonly penalty: Penalty;
  readonly index: number;
}

/**
 * Adds what is wrong with terms as a whole, once it is known what they are or will be: something is promised; each penalty is of
 * a promise, and not for what keeps it; each limit of a metric stands once; and a worse limit never gives less back. Amounts and
 * parts of what was paid cannot be compared, nor two currencies: the penalties of a metric are of one kind.
 * @param given whether the penalties stand in the input; else a change of the promises is what does not go with them
 */
export function checkTerms(problems: UserErrorData[], terms: Terms, given: boolean): void {
  if (metrics.every((metric) => targetOf(terms, metric) === null)) {
    const message = 'Promise something: give `availability`, `responseTime` or `supportHours`.';
    problems.push(userError('InvalidInput', ['input', 'availability'], message));
  }
  const placed = terms.penalties.map((penalty, index) => ({ penalty, index }));
  for (const metric of metrics) {
    const ofMetric = placed.filter(({ penalty }) => penalty.metric === metric);
    const target = targetOf(terms, metric);
    if (target === null) for (const one of ofMetric) problems.push(unpromised(one, given));
    else for (const one of ofMetric) checkAgainstTarget(problems, one, target, given);
    checkSteps(problems, ofMetric);
  }
}

function pathOf({ penalty, index }: Placed, field: string, given: boolean): (string | number)[] {
  return given ? ['input', 'penalties', index, field] : ['input', fields[penalty.metric]];
}

function unpromised(one: Placed, given: boolean): UserErrorData {
  const message = `Nothing is promised of ${one.penalty.metric}. Promise it, or leave its penalties out.`;
  return userError('InvalidInput', pathOf(one, 'metric', given), message);
}

function checkAgainstTarget(problems: UserErrorData[], one: Placed, target: bigint, given: boolean): void {
  const { metric, limit } = one.penalty;
  if (!isWorse(metric, target, limitOf(one.penalty))) return;
  const message = `What is within the promise of ${decimalOf(target)} is no breach: a penalty's limit of ${limit} is better than that.`;
  problems.push(userError('InvalidInput', pathOf(one, 'limit', given), message));
}

/** From the mildest limit to the worst. */
function checkSteps(problems: UserErrorData[], ofMetric: readonly Placed[]): void {
  const [first] = ofMetric;
  const steps = [...ofMetric].sort((left, right) => bySeverity(left.penalty, right.penalty));
  steps.forEach((one, i) => {
    const { penalty, index } = one;
    const at = ['input', 'penalties', index];
    const field = penalty.basisPoints === null ? 'creditAmount' : 'creditBasisPoints';
    const milder = steps[i - 1]?.penalty;
    if (first && penalty.currency !== first.penalty.currency) {
      const message = 'Penalties of one metric are all parts of what was paid, or all amounts in one currency.';
      problems.push(userError('InvalidInput', [...at, field], message));
    } else if (milder && limitOf(milder) === limitOf(penalty)) {
      const message = `${penalty.metric} has the limit ${penalty.limit} twice. Give each limit once.`;
      problems.push(userError('InvalidInput', [...at, 'limit'], message));
    } else if (milder && milder.currency === penalty.currency && creditIn(milder) > creditIn(penalty)) {
      const message = `It gives back less than the milder limit ${milder.limit}. What is worse never gives less back.`;
      problems.push(userError('InvalidInput', [...at, field], message));
    }
  });
}

function bySeverity(left: Penalty, right: Penalty): number {
  if (limitOf(left) === limitOf(right)) return 0;
  return isWorse(left.metric, limitOf(left), limitOf(right)) ? 1 : -1;
}

/** Basis points or minor units; to compare penalties of one kind. */
function creditIn({ basisPoints, amountMinor }: Penalty): bigint {
  return BigInt(basisPoints ?? amountMinor ?? 0);
}
