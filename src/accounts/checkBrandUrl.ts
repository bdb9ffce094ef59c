import { userError, type UserErrorData } from '../kernel/refusal.js';
import type { ConflictRefusals } from '../kernel/transaction.js';
import { brandHost } from './findBrand.js';

/** Adds a problem when a brand's URL is not a host name, with or without a port. */
export function checkBrandUrl(problems: UserErrorData[], path: readonly string[], url: string): void {
  const host = brandHost(url);
  if (host.length > 255 || !/^[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*(:\d{1,5})?$/.test(host)) {
    problems.push(userError('InvalidInput', path, 'Give a host name, such as shop.example.com.'));
  }
}

/** What to answer when another brand of this server has the URL. */
export function brandUrlTaken(path: readonly string[]): ConflictRefusals {
  return { brands_url_key: () => userError('BrandUrlTaken', path, 'Another brand has this URL. Choose another one.') };
}
