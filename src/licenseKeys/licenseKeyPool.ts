import { missingProduct } from '../catalog/notFound.js';
import { userError } from '../kernel/refusal.js';
import type { ConflictRefusals } from '../kernel/transaction.js';
import type { RowResult } from './claimTexts.js';

/** What became of a row; `last4` is null when it was refused. */
export interface PoolKeyRowResult extends RowResult {
  readonly last4: string | null;
}

/** What to answer when a pool's name is taken, or its product is not there. */
export const poolConflicts: ConflictRefusals = {
  license_key_pools_business_id_name_key: () =>
    userError('NameTaken', ['input', 'name'], 'Another pool has this name. Choose another one.'),
  license_key_pools_product: () => missingProduct(['input', 'productId']),
};
