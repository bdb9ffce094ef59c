import { refusal, type Refusal, type UserErrorName } from './refusal.js';
import { tenantViewer } from './requestContext.js';
import { tables, type Model } from './rows.js';
import type { SqlReader } from './transaction.js';

/** Refusals without data of their own that say that something is not there. */
type NotFoundName = Extract<UserErrorName, `${string}NotFound`>;

/**
 * The refusal for an object with a mode that was not found: `ModeMismatch` when the business has it in the other mode, so that
 * a mix-up of keys is seen for what it is; else the not-found one, the same for foreign and unknown ids.
 */
export async function missing(
  tx: SqlReader,
  model: Model,
  id: string,
  path: readonly string[],
  name: NotFoundName,
  message: string,
): Promise<Refusal> {
  const { businessId, mode } = tenantViewer(tx.ctx);
  const elsewhere = await tx.sql(
    `in_other_mode_${model}`,
    `SELECT 1 AS one FROM ${tables[model]} WHERE business_id = $1 AND mode <> $2 AND id = $3`,
    [businessId, mode, id],
  );
  if (elsewhere.length === 0 || tx.ctx.viewer.principal === 'CUSTOMER') {
    return refusal(name as 'CustomerNotFound', path, message);
  }
  const other = mode === 'LIVE' ? 'test' : 'live';
  return refusal('ModeMismatch', path, `The object is ${other} data; use an API key of that mode.`);
}
