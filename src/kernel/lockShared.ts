import { uuidOf } from './id.js';
import { tenantOf } from './requestContext.js';
import { columnsOf, tables, type RowOf } from './rows.js';
import type { SqlTx } from './transaction.js';

/** Models that both modes share and that have a version. */
export type SharedModel =
  | 'Brand'
  | 'Business'
  | 'Entitlement'
  | 'LicenseKeyPool'
  | 'Package'
  | 'PackagePrice'
  | 'Product'
  | 'ProductOffering'
  | 'ProductVersion'
  | 'SubscriptionType';

/** The columns that tell a row of a model by business and id; a business is its own. */
export function keyOf(model: SharedModel): string {
  return model === 'Business' ? 'id = $1 AND id = $2' : 'business_id = $1 AND id = $2';
}

const locks = { CHANGE: 'FOR NO KEY UPDATE', USE: 'FOR SHARE', ALONE: 'FOR UPDATE' } as const;

/**
 * A step: the row that an id names, locked until the transaction ends; null for foreign and unknown ids alike.
 * @param strength CHANGE against every other change of it; USE only against changes, so that many may use it at once; ALONE
 *   even against rows that come to point to it, so that whether there are any can be asked
 */
export async function lockShared<M extends SharedModel>(
  tx: SqlTx,
  model: M,
  id: string,
  strength: keyof typeof locks = 'CHANGE',
): Promise<RowOf<M> | null> {
  const [row] = await tx.sql<RowOf<M>>(
    `lock_${model}_${strength}`,
    `SELECT ${columnsOf(model)} FROM ${tables[model]} WHERE ${keyOf(model)} ${locks[strength]}`,
    [tenantOf(tx.ctx).businessId, uuidOf(model, id)],
  );
  return row ?? null;
}
