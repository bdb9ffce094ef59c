import DataLoader from 'dataloader';
import type { SlaDefinitionVersion, SlaMetric } from '../generated/prisma/client.js';
import { ClientError } from '../kernel/clientError.js';
import { moneyOf, type Money } from '../kernel/money.js';
import { tenantOf, type RequestContext } from '../kernel/requestContext.js';
import { columnsOf } from '../kernel/rows.js';
import { decimalOf } from '../slaDefinitions/measure.js';
import { metrics, targetOf } from '../slaDefinitions/terms.js';

/** How one promise was kept in a period. */
export interface SlaCompliance {
  slaDefinitionId: string;
  metric: SlaMetric;
  versions: SlaDefinitionVersion[];
  target: string;
  isMet: boolean;
  breachCount: number;
  worstMeasured: string | null;
  credits: Money[];
}

/** A product key and a period of it. */
export interface KeyPeriod {
  readonly productKeyId: string;
  readonly startsAt: Date;
  readonly endsAt: Date;
}

/** Versions that held for keys within a period: attached, the key begun and not ended; the earliest first. */
const held = `SELECT s.product_key_id AS "__key", ${columnsOf('SlaDefinitionVersion', 'v')}
  FROM product_key_slas s
  JOIN product_keys k ON k.business_id = s.business_id AND k.mode = s.mode AND k.id = s.product_key_id
  JOIN sla_definition_versions v ON v.business_id = s.business_id AND v.mode = s.mode AND v.id = s.sla_definition_version_id
  WHERE s.business_id = $1 AND s.mode = $2 AND s.product_key_id = ANY($3::uuid[])
    AND greatest(s.attached_at, k.starts_at, $4)
      < least(s.detached_at, coalesce(k.cancelled_at, k.expired_at, least(k.cancel_at, k.expires_at)), $5)
  ORDER BY s.attached_at, s.id`;

const ofPeriod = `b.business_id = $1 AND b.mode = $2 AND b.product_key_id = ANY($3::uuid[]) AND b.starts_at >= $4 AND b.starts_at < $5`;
const promise = `b.product_key_id AS "productKeyId", b.sla_definition_id AS "slaDefinitionId", b.metric`;
const byPromise = 'GROUP BY b.product_key_id, b.sla_definition_id, b.metric';

const measured = `SELECT ${promise}, count(*)::int AS count, min(b.measured) AS least, max(b.measured) AS most
  FROM sla_breaches b WHERE ${ofPeriod} ${byPromise}`;

const credited = `SELECT ${promise}, c.currency, sum(c.amount_minor)::bigint AS "amountMinor"
  FROM sla_breaches b JOIN sla_breach_credits c ON c.business_id = b.business_id AND c.mode = b.mode AND c.sla_breach_id = b.id
  WHERE ${ofPeriod} ${byPromise}, c.currency ORDER BY c.currency`;

interface OfPromise {
  productKeyId: string;
  slaDefinitionId: string;
  metric: SlaMetric;
}
type Measured = OfPromise & { count: number; least: bigint; most: bigint };
type Credited = OfPromise & { currency: string; amountMinor: bigint };
type Held = SlaDefinitionVersion & { __key: string };

/** How the promises to product keys were kept in periods: three statements for all keys that are asked for the same period. */
export function complianceByKey(ctx: RequestContext): DataLoader<KeyPeriod, SlaCompliance[], string> {
  return new DataLoader(
    async (asked) => {
      const periods = new Map<string, string[]>();
      for (const one of asked) periods.set(periodOf(one), [...(periods.get(periodOf(one)) ?? []), one.productKeyId]);
      const found = new Map<string, SlaCompliance[]>();
      await Promise.all(
        [...periods].map(async ([period, ids]) => {
          const rows = await readCompliance(ctx, ids, period.split(' '));
          for (const [id, compliance] of rows) found.set(`${id} ${period}`, compliance);
        }),
      );
      return asked.map((one) => found.get(`${one.productKeyId} ${periodOf(one)}`) ?? []);
    },
    { cacheKeyFn: (one) => `${one.productKeyId} ${periodOf(one)}` },
  );
}

function periodOf({ startsAt, endsAt }: KeyPeriod): string {
  return `${startsAt.toISOString()} ${endsAt.toISOString()}`;
}

/**
 * A period that a query names.
 * @throws ClientError BAD_USER_INPUT where it ends before it begins
 */
export function checkedPeriod(productKeyId: string, { startsAt, endsAt }: Omit<KeyPeriod, 'productKeyId'>): KeyPeriod {
  if (endsAt > startsAt) return { productKeyId, startsAt, endsAt };
  throw new ClientError('BAD_USER_INPUT', 'Give an `endsAt` after `startsAt`.', { argument: 'endsAt' });
}

async function readCompliance(
  ctx: RequestContext,
  ids: readonly string[],
  period: readonly string[],
): Promise<Map<string, SlaCompliance[]>> {
  const { businessId, mode } = tenantOf(ctx);
  const values = [businessId, mode, ids, ...period];
  const [versions, figures, credits] = await Promise.all([
    ctx.db.sql<Held>('slas_held_in_period', held, values),
    ctx.db.sql<Measured>('sla_breaches_measured', measured, values),
    ctx.db.sql<Credited>('sla_breaches_credited', credited, values),
  ]);
  return new Map(
    ids.map((id) => {
      const ofKey = <Row extends OfPromise>(rows: Row[]) => rows.filter(({ productKeyId }) => productKeyId === id);
      const own = versions.filter(({ __key }) => __key === id).map(({ __key: _, ...version }) => version);
      return [id, complianceOf(own, ofKey(figures), ofKey(credits))];
    }),
  );
}

/** One row for each definition and metric, in the order in which they held first. */
function complianceOf(
  held: readonly SlaDefinitionVersion[],
  figures: readonly Measured[],
  credits: readonly Credited[],
): SlaCompliance[] {
  const once = [...new Map(held.map((version) => [version.id, version])).values()];
  const definitionIds = [...new Set(once.map(({ slaDefinitionId }) => slaDefinitionId))];
  return definitionIds.flatMap((slaDefinitionId) =>
    metrics.flatMap((metric) => {
      const isOf = (row: Omit<OfPromise, 'productKeyId'>) =>
        row.slaDefinitionId === slaDefinitionId && row.metric === metric;
      const versions = once.filter((one) => one.slaDefinitionId === slaDefinitionId && targetOf(one, metric) !== null);
      const last = versions.at(-1);
      if (!last) return [];
      const figure = figures.find(isOf);
      const worst = figure && (metric === 'AVAILABILITY' ? figure.least : figure.most);
      return {
        slaDefinitionId,
        metric,
        versions,
        target: decimalOf(targetOf(last, metric) ?? 0n),
        isMet: !figure,
        breachCount: figure?.count ?? 0,
        worstMeasured: worst === undefined ? null : decimalOf(worst),
        credits: credits.filter(isOf).map(({ amountMinor, currency }) => moneyOf(amountMinor, currency)),
      };
    }),
  );
}
