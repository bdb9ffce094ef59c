import type { RecordSlaBreachInput } from '../generated/graphql.js';
import type { ProductKey, SlaBreach } from '../generated/prisma/client.js';
import { uuidOf } from '../kernel/id.js';
import { refusal, refuseIfAny, userError, type UserErrorData } from '../kernel/refusal.js';
import { columnsOf } from '../kernel/rows.js';
import { checkLength, presentText } from '../kernel/text.js';
import type { SqlTx } from '../kernel/transaction.js';
import { millionthsOf } from '../slaDefinitions/measure.js';
import { MAX_COUNT } from '../slaDefinitions/terms.js';

/** A breach as it was told. */
export type ToldBreach = Pick<
  SlaBreach,
  'slaDefinitionId' | 'metric' | 'measured' | 'startsAt' | 'endsAt' | 'note' | 'externalId'
>;

/**
 * A breach as an input tells it.
 * @throws Refusal InvalidInput; everything that is wrong with the fields at once
 */
export function toldBreach(input: RecordSlaBreachInput): ToldBreach {
  const { metric, startsAt, endsAt } = input;
  const [note, externalId] = [presentText(input.note), presentText(input.externalId)];
  const problems: UserErrorData[] = [];
  const measured = measuredOf(problems, input);
  if (endsAt <= startsAt) {
    problems.push(userError('InvalidInput', ['input', 'endsAt'], 'Give an instant after `startsAt`.'));
  }
  checkLength(problems, ['input', 'note'], note, 1, 2000);
  checkLength(problems, ['input', 'externalId'], externalId, 1, 255);
  if (externalId === null && metric === 'SUPPORT_HOURS') {
    const message =
      'Give the id of the request for support: several may wait at once, and each is a breach of its own.';
    problems.push(userError('InvalidInput', ['input', 'externalId'], message));
  }
  refuseIfAny(problems);
  const slaDefinitionId = uuidOf('SlaDefinition', input.slaDefinitionId);
  return { slaDefinitionId, metric, measured, startsAt, endsAt, note, externalId };
}

function measuredOf(problems: UserErrorData[], { metric, measured }: RecordSlaBreachInput): bigint {
  const millionths = millionthsOf(measured, 6);
  const most = metric === 'AVAILABILITY' ? 100 : MAX_COUNT;
  if (millionths !== null && millionths <= BigInt(most) * 1_000_000n) return millionths;
  const message = `Give a number from 0 to ${most} with up to six decimals; it is ${measured}.`;
  problems.push(userError('InvalidInput', ['input', 'measured'], message));
  return 0n;
}

/**
 * A step: the breach of a locked product key that was told before under the same external id, just as it is told now, whatever the
 * note; null: none was. An erasure takes the ids: what was told of a request for support just so, and has none any more, is the
 * same one, so that telling all again after an erasure gives nothing back twice.
 * @throws Refusal ExternalIdTaken when another breach has the id
 */
export async function findTold(tx: SqlTx, key: ProductKey, told: ToldBreach): Promise<SlaBreach | null> {
  if (told.externalId === null) return null;
  const [recorded] = await tx.sql<SlaBreach>(
    'told_sla_breach',
    `SELECT ${columnsOf('SlaBreach')} FROM sla_breaches
      WHERE business_id = $1 AND mode = $2 AND product_key_id = $3 AND (external_id = $4 OR (
        metric = 'SUPPORT_HOURS' AND external_id IS NULL AND sla_definition_id = $5 AND metric = $6::sla_metric
        AND measured = $7 AND starts_at = $8 AND ends_at = $9))
      ORDER BY external_id NULLS LAST, id LIMIT 1`,
    [
      ...[key.businessId, key.mode, key.id, told.externalId],
      ...[told.slaDefinitionId, told.metric, told.measured, told.startsAt, told.endsAt],
    ],
  );
  if (!recorded) return null;
  const isSame =
    recorded.slaDefinitionId === told.slaDefinitionId &&
    recorded.metric === told.metric &&
    recorded.measured === told.measured &&
    recorded.startsAt.getTime() === told.startsAt.getTime() &&
    recorded.endsAt.getTime() === told.endsAt.getTime();
  if (isSame) return recorded;
  const message = 'Another breach of the product key has this external id. Read `slaBreaches`, or choose another id.';
  throw refusal('ExternalIdTaken', ['input', 'externalId'], message);
}

/**
 * A step: refuses a second figure of a metric for a part of the same time. Requests for support wait side by side: each is told
 * apart by its external id.
 * @throws Refusal SlaBreachOverlaps
 */
export async function refuseOverlap(tx: SqlTx, key: ProductKey, told: ToldBreach): Promise<void> {
  if (told.metric === 'SUPPORT_HOURS') return;
  const [other] = await tx.sql<Pick<SlaBreach, 'startsAt' | 'endsAt'>>(
    'overlapping_sla_breach',
    `SELECT starts_at AS "startsAt", ends_at AS "endsAt" FROM sla_breaches
      WHERE business_id = $1 AND mode = $2 AND product_key_id = $3 AND sla_definition_id = $4 AND metric = $5::sla_metric
        AND metric <> 'SUPPORT_HOURS' AND tstzrange(starts_at, ends_at, '[)') && tstzrange($6, $7, '[)')
      ORDER BY starts_at LIMIT 1`,
    [key.businessId, key.mode, key.id, told.slaDefinitionId, told.metric, told.startsAt, told.endsAt],
  );
  if (!other) return;
  const { startsAt, endsAt } = other;
  const message = `A breach of ${told.metric} is recorded from ${startsAt.toISOString()} until ${endsAt.toISOString()}. Give another time.`;
  throw refusal('SlaBreachOverlaps', ['input', 'startsAt'], message, { startsAt, endsAt });
}
