import DataLoader from 'dataloader';
import type { License, ProductOffering } from '../generated/prisma/client.js';
import { tenantOf, type RequestContext } from '../kernel/requestContext.js';
import { columnsOf } from '../kernel/rows.js';
import { asOf, dueColumns } from '../lifecycle/dueChanges.js';
import { isCancelled } from '../lifecycle/effective.js';
import { offeringOptions, type OfferingOption } from './offeringChange.js';

const choices = `SELECT t.id AS "__from", ${columnsOf('ProductOffering', 'o')}
  FROM product_offerings t JOIN product_offerings o ON o.business_id = t.business_id AND o.product_id = t.product_id
  WHERE t.business_id = $1 AND t.id = ANY ($2::uuid[])
    AND (o.id = t.id OR (o.status = 'AVAILABLE' AND o.currency = t.currency AND o.group_name IS NOT DISTINCT FROM t.group_name))
  ORDER BY o.price_minor, o.created_at, o.id`;

/** Licenses that go on in a renewal, and renewals that have not started: neither can be changed. */
const fixed = `SELECT l.id FROM licenses l WHERE l.business_id = $1 AND l.mode = $2 AND l.id = ANY ($3::uuid[]) AND (
    EXISTS (SELECT 1 FROM licenses r WHERE r.business_id = $1 AND r.mode = $2 AND r.id = l.renewal_id AND NOT ${isCancelled('$4::timestamptz', 'r')})
    OR (l.status = 'PENDING' AND l.valid_from > $4
      AND EXISTS (SELECT 1 FROM licenses p WHERE p.business_id = $1 AND p.mode = $2 AND p.renewal_id = l.id)))`;

/** Columns that say what a license may change to, besides its key. */
export const changeableColumns = [
  ...dueColumns,
  'productOfferingId',
  'offeringSince',
] as const satisfies readonly (keyof License)[];

type ChangeableLicense = Pick<License, 'id' | (typeof changeableColumns)[number]>;

/**
 * What licenses may change to, the cheapest first: two statements for all licenses that a request asks for, however many
 * offerings they have.
 */
export function loadOfferingOptions(ctx: RequestContext): DataLoader<ChangeableLicense, OfferingOption[], string> {
  return new DataLoader(
    async (stored) => {
      const licenses = stored.map((license) => asOf(license, ctx.now));
      const offered = licenses.filter(({ productOfferingId }) => productOfferingId !== null);
      const [byOffering, fixedIds] = await Promise.all([choicesOf(ctx, offered), fixedOnes(ctx, offered)]);
      return licenses.map((license) => {
        const akin = byOffering.get(license.productOfferingId ?? '') ?? [];
        const from = akin.find(({ id }) => id === license.productOfferingId);
        return from && !fixedIds.has(license.id) ? offeringOptions(license, { from, options: akin }, ctx.now) : [];
      });
    },
    { cacheKeyFn: ({ id }) => id },
  );
}

async function choicesOf(
  ctx: RequestContext,
  licenses: readonly ChangeableLicense[],
): Promise<Map<string, ProductOffering[]>> {
  const ids = [...new Set(licenses.map(({ productOfferingId }) => productOfferingId as string))];
  const byOffering = new Map<string, ProductOffering[]>(ids.map((id) => [id, []]));
  if (ids.length === 0) return byOffering;
  const values = [tenantOf(ctx).businessId, ids];
  const rows = await ctx.db.sql<ProductOffering & { __from: string }>('offering_choices', choices, values);
  for (const { __from, ...offering } of rows) byOffering.get(__from)?.push(offering);
  return byOffering;
}

async function fixedOnes(ctx: RequestContext, licenses: readonly ChangeableLicense[]): Promise<Set<string>> {
  if (licenses.length === 0) return new Set();
  const { businessId, mode } = tenantOf(ctx);
  const values = [businessId, mode, licenses.map(({ id }) => id), ctx.now];
  const rows = await ctx.db.sql<{ id: string }>('fixed_licenses', fixed, values);
  return new Set(rows.map(({ id }) => id));
}
