import type { FindBrand } from './accounts/findBrand.js';
import { soleBusiness } from './accounts/soleBusiness.js';
import type { KeySetQuestion } from './graphql/jwksRoute.js';
import { ClientError } from './kernel/clientError.js';
import type { Database } from './kernel/database.js';
import { jwksOf } from './licenseFiles/publicKeys.js';

/**
 * The signing keys of the business that a caller means: of the brand that it names, else of the one whose host it called, else of
 * the only business that there is.
 * @throws ClientError BRAND_NOT_FOUND
 */
export async function keySetOf(
  db: Database,
  findBrand: FindBrand,
  { brandUrl, host }: KeySetQuestion,
  now: Date,
): Promise<object> {
  const brand = await findBrand(brandUrl ?? host);
  if (brandUrl !== null && !brand) {
    const message = `There is no brand ${JSON.stringify(brandUrl)}. Check the header Brand-URL or the parameter brand.`;
    throw new ClientError('BRAND_NOT_FOUND', message);
  }
  const businessId = brand?.businessId ?? (await soleBusiness(db));
  if (businessId) return jwksOf(db, businessId, now);
  throw new ClientError('BRAND_NOT_FOUND', 'Say whose keys: send the header Brand-URL, or the parameter brand.');
}
