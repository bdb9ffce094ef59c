import type { CreateSlaDefinitionInput, UpdateSlaDefinitionInput } from '../generated/graphql.js';
import { userError, type UserErrorData } from '../kernel/refusal.js';
import { checkLength, checkMetadata, checkRange, presentText } from '../kernel/text.js';
import { givenPenalties } from './givenPenalties.js';
import { millionthsOf } from './measure.js';
import { supportTerms } from './supportTerms.js';
import { MAX_COUNT, type Terms } from './terms.js';

const ALL = 100_000_000n;

type Fields = CreateSlaDefinitionInput | UpdateSlaDefinitionInput;

/**
 * What given fields make of the terms: absent fields are left out, null takes a promise away, blank text is none. Adds what is
 * wrong with each of them, all at once; needs no I/O. Whether they go together, `checkTerms` says.
 */
export function givenTerms(problems: UserErrorData[], input: Fields): Partial<Terms> {
  checkLength(problems, ['input', 'name'], input.name?.trim(), 1, 255);
  checkLength(problems, ['input', 'description'], presentText(input.description), 1, 2000);
  checkMetadata(problems, ['input', 'metadata'], input.metadata);
  const terms: Partial<Terms> = {};
  if (input.name != null) terms.name = input.name.trim();
  if (input.description !== undefined) terms.description = presentText(input.description);
  if (input.availability !== undefined) {
    const path = ['input', 'availability', 'targetPercent'];
    terms.availabilityTarget = input.availability && thousandthsOf(problems, path, input.availability.targetPercent);
  }
  if (input.responseTime !== undefined) Object.assign(terms, responseTerms(problems, input.responseTime));
  if (input.supportHours !== undefined) Object.assign(terms, supportTerms(problems, input.supportHours));
  if (input.penalties != null) terms.penalties = givenPenalties(problems, input.penalties);
  return terms;
}

function responseTerms(
  problems: UserErrorData[],
  given: Fields['responseTime'],
): Pick<Terms, 'responsePercentile' | 'responseThresholdMs'> {
  if (!given) return { responsePercentile: null, responseThresholdMs: null };
  const path = ['input', 'responseTime'];
  checkRange(problems, [...path, 'thresholdMs'], given.thresholdMs, 1, MAX_COUNT);
  const responsePercentile = thousandthsOf(problems, [...path, 'percentile'], given.percentile);
  return { responsePercentile, responseThresholdMs: given.thresholdMs };
}

/** A percentage above 0, to 100, of up to three decimals, in thousandths; 0 when it is none, which is a problem. */
function thousandthsOf(problems: UserErrorData[], path: readonly string[], percent: string): number {
  const millionths = millionthsOf(percent, 3);
  if (millionths !== null && millionths > 0n && millionths <= ALL) return Number(millionths / 1_000n);
  const message = `Give a percentage above 0, to 100, with up to three decimals; it is ${percent}.`;
  problems.push(userError('InvalidInput', path, message));
  return 0;
}
