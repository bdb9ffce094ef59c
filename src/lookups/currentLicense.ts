import type { RequestContext } from '../kernel/requestContext.js';
import { validityOf } from '../licenses/license.js';
import type { JudgedLicense } from '../validation/facts.js';
import { judgedLicense } from '../validation/judgedLicense.js';
import { keyHolder, modeAsked } from '../validation/keyHolder.js';
import { keyProblem } from '../validation/keyProblem.js';
import { readFacts } from '../validation/readFacts.js';

/** A license that was found by a key. */
export interface FoundLicense {
  /** As it is now, whether or not that has been written. */
  readonly license: JudgedLicense;
  readonly productSku: string;
  /** The key that it was found by, as it was given. */
  readonly key: string;
}

const nothingElse = { productSku: null, version: null, fingerprint: null, customerNumber: null };

/**
 * The license that is not cancelled and whose window contains now on a key: source 001's `Licenses/Get`, "the license that is
 * currently valid and bound to the given license key". There is one at most: the database refuses a second one.
 * @returns null when there is none, no such key, or when the text is one that was rotated away and whose grace is over
 */
export async function currentLicense(ctx: RequestContext, key: string): Promise<FoundLicense | null> {
  const { now } = ctx;
  const holder = await keyHolder(ctx);
  const mode = modeAsked(holder, null);
  if (mode === null || keyProblem(holder, key) !== null) return null;
  const [facts] = await readFacts(ctx, ctx.db.sql, holder, [{ ...nothingElse, key, mode, at: now }]);
  const found = facts?.found;
  if (!found || (holder.brandId !== null && holder.brandId !== found.brandId)) return null;
  if (found.replacedUntil && found.replacedUntil <= now) return null;
  const chosen = judgedLicense(found.licenses, now);
  if (!chosen || chosen.license.status === 'CANCELLED' || validityOf(chosen.license, now) !== 'CURRENT') return null;
  const [product] = chosen.products;
  if (!product) throw new Error('a license is for no product');
  return { license: chosen.license, productSku: product.sku, key };
}
