import type { ProductVersion } from '../generated/prisma/client.js';
import { lockShared } from '../kernel/lockShared.js';
import { Refusal, userError } from '../kernel/refusal.js';
import type { ConflictRefusals, SqlTx } from '../kernel/transaction.js';
import { missingProductVersion } from './notFound.js';

/** What to answer when the product has a version with the name. */
export const versionNameTaken: ConflictRefusals = {
  product_versions_business_id_product_id_name_key: () =>
    userError('NameTaken', ['input', 'name'], 'Another version of the product has this name. Choose another one.'),
};

/**
 * A step: the version that the input's `productVersionId` names, locked against other changes.
 * @throws Refusal ProductVersionNotFound
 */
export async function lockProductVersion(tx: SqlTx, productVersionId: string): Promise<ProductVersion> {
  const version = await lockShared(tx, 'ProductVersion', productVersionId);
  if (!version) throw new Refusal([missingProductVersion(['input', 'productVersionId'])]);
  return version;
}
