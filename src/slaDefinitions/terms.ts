import type { SlaDefinitionVersion, SlaMetric } from '../generated/prisma/client.js';
import { millionthsOf } from './measure.js';

/** What a version of an SLA definition says; all of it but who and when. */
export type Terms = Omit<
  SlaDefinitionVersion,
  'businessId' | 'mode' | 'id' | 'slaDefinitionId' | 'number' | 'createdAt' | 'penalties'
> & { penalties: Penalty[] };

/** What is given back beyond a limit, as the column keeps it: basis points, or an amount with its currency. */
export interface Penalty {
  readonly metric: SlaMetric;
  /** A canonical decimal in the metric's unit. */
  readonly limit: string;
  readonly basisPoints: number | null;
  /** Minor units, as a string. */
  readonly amountMinor: string | null;
  readonly currency: string | null;
}

/** The largest count of milliseconds or minutes. */
export const MAX_COUNT = 2_147_483_647;

/** A product key has at most so many SLA definitions at a time. */
export const MAX_ATTACHED = 50;

/** All metrics, in the order in which they are shown. */
export const metrics: readonly SlaMetric[] = ['AVAILABILITY', 'RESPONSE_TIME', 'SUPPORT_HOURS'];

type Targets = Pick<SlaDefinitionVersion, 'availabilityTarget' | 'responseThresholdMs' | 'supportResponseMinutes'>;

/** What is promised of a metric, in millionths of its unit; null: nothing. */
export function targetOf(terms: Targets, metric: SlaMetric): bigint | null {
  const { availabilityTarget, responseThresholdMs, supportResponseMinutes } = terms;
  if (metric === 'AVAILABILITY') return availabilityTarget === null ? null : BigInt(availabilityTarget) * 1_000n;
  const most = metric === 'RESPONSE_TIME' ? responseThresholdMs : supportResponseMinutes;
  return most === null ? null : BigInt(most) * 1_000_000n;
}

/** Whether a value of a metric is worse than another one: less availability, a longer time. */
export function isWorse(metric: SlaMetric, value: bigint, than: bigint): boolean {
  return metric === 'AVAILABILITY' ? value < than : value > than;
}

/** A penalty's limit in millionths. */
export function limitOf({ limit }: Pick<Penalty, 'limit'>): bigint {
  const millionths = millionthsOf(limit, 6);
  if (millionths === null) throw new Error(`a penalty has the limit ${limit}`);
  return millionths;
}

/** The penalties of a version. */
export function penaltiesOf({ penalties }: Pick<SlaDefinitionVersion, 'penalties'>): Penalty[] {
  return penalties as unknown as Penalty[];
}

/**
 * The one penalty that a measured value deserves: of those of its metric whose limit it is beyond, the one with the worst limit.
 * @param measured in millionths
 * @returns its index; null: it is beyond none
 */
export function deservedPenalty(penalties: readonly Penalty[], metric: SlaMetric, measured: bigint): number | null {
  let deserved: number | null = null;
  for (const [index, penalty] of penalties.entries()) {
    if (penalty.metric !== metric || !isWorse(metric, measured, limitOf(penalty))) continue;
    const present = deserved === null ? undefined : penalties[deserved];
    if (!present || isWorse(metric, limitOf(penalty), limitOf(present))) deserved = index;
  }
  return deserved;
}
