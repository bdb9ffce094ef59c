import DataLoader from 'dataloader';
import { loadOne } from '../graphql/batching.js';
import type { RequestContext } from '../kernel/requestContext.js';
import { keysEnded } from './keysEnded.js';
import { loadByBinding } from './loadByBinding.js';
import { revealKeys } from './revealKeys.js';

/** Keys by id and by license, and their texts: reading one is recorded; and which ended by themselves. */
export function licenseKeyLoaders(ctx: RequestContext) {
  return {
    licenseKeyById: loadOne(ctx, 'LicenseKey'),
    licenseKeysByLicense: loadByBinding(ctx, 'LicenseKey'),
    isKeyEnded: keysEnded(ctx),
    revealedKeyById: new DataLoader(async (ids: readonly string[]) => {
      const texts = await revealKeys(ctx, ids);
      return ids.map((id) => texts.get(id) ?? null);
    }),
  };
}
