import { isImpossibleKey, type KeyPattern } from '../catalog/keyPattern.js';
import { normalizeKey } from '../licenseKeys/licenseKey.js';

/** Patterns whose prefix no other key of the business can begin with, by that prefix. */
export type ExclusivePatterns = Readonly<Record<string, KeyPattern>>;

/** A pattern that was changed must count within a second. */
const REMEMBERED_MS = 1_000;
const REMEMBERED_BUSINESSES = 10_000;

const remembered = new Map<string, { patterns: ReadonlyMap<string, KeyPattern>; until: number }>();

/** Remembers for a second what a look-up has told of a business's patterns. */
export function rememberPatterns(businessId: string, patterns: ExclusivePatterns | null): void {
  if (remembered.size >= REMEMBERED_BUSINESSES) remembered.clear();
  const until = performance.now() + REMEMBERED_MS;
  remembered.set(businessId, { patterns: new Map(Object.entries(patterns ?? {})), until });
}

/** Whether a key is mistyped as far as is known without asking the database; what is not, may still be. */
export function isKnownImpossible(businessId: string, key: string): boolean {
  const known = remembered.get(businessId);
  return known !== undefined && known.until > performance.now() && isImpossibleKey(normalizeKey(key), known.patterns);
}
