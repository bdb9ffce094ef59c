import DataLoader from 'dataloader';
import { loadOne } from '../graphql/batching.js';
import type { RequestContext } from '../kernel/requestContext.js';
import { loadByBinding } from './loadByBinding.js';
import { revealKeys } from './revealKeys.js';

/** Keys by id and by license, and their texts: reading one is recorded. */
export function licenseKeyLoaders(ctx: RequestContext) {
  return {
    licenseKeyById: loadOne(ctx, 'LicenseKey'),
    licenseKeysByLicense: loadByBinding(ctx, 'LicenseKey'),
    revealedKeyById: new DataLoader(async (ids: readonly string[]) => {
      const texts = await revealKeys(ctx, ids);
      return ids.map((id) => texts.get(id) ?? null);
    }),
  };
}
