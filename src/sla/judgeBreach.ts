import type { SlaDefinitionVersion, SlaMetric } from '../generated/prisma/client.js';
import { refusal } from '../kernel/refusal.js';
import { decimalOf } from '../slaDefinitions/measure.js';
import { deservedPenalty, isWorse, metrics, penaltiesOf, targetOf, type Penalty } from '../slaDefinitions/terms.js';

/** The penalty that a breach deserves, and its index; null: none. */
export type Deserved = { readonly index: number; readonly penalty: Penalty } | null;

/**
 * What a measured value deserves by the version of an SLA definition that held.
 * @param measured in millionths
 * @throws Refusal SlaMetricNotPromised, SlaNotBreached
 */
export function judgeBreach(version: SlaDefinitionVersion, metric: SlaMetric, measured: bigint): Deserved {
  const target = targetOf(version, metric);
  if (target === null) {
    const promised = metrics.filter((one) => targetOf(version, one) !== null);
    const message = `Version ${version.number}, which held when the breach began, promises nothing of ${metric}.`;
    throw refusal('SlaMetricNotPromised', ['input', 'metric'], message, { promised });
  }
  if (!isWorse(metric, measured, target)) {
    const message = `Version ${version.number}, which held when the breach began, promises ${decimalOf(target)}; that was kept.`;
    throw refusal('SlaNotBreached', ['input', 'measured'], message, { target: decimalOf(target) });
  }
  const penalties = penaltiesOf(version);
  const index = deservedPenalty(penalties, metric, measured);
  const penalty = index === null ? undefined : penalties[index];
  return index === null || !penalty ? null : { index, penalty };
}
