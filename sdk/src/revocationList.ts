import { openSigned, type KeySet } from './signedText.js';

/** What a list says when its pages are put together. */
export interface RevocationList {
  readonly version: bigint;
  readonly issuedAt: number;
  readonly entries: ReadonlySet<string>;
}

/** Whose list it has to be. */
export interface ListOwner {
  readonly iss: string;
  readonly testMode: boolean;
}

const listType = 'latchkey-revocations+jwt';

interface Page {
  readonly iss: string;
  readonly testMode: boolean;
  readonly since: string;
  readonly version: string;
  readonly complete: boolean;
  readonly revoked: readonly string[];
  readonly restored: readonly string[];
  readonly issuedAt: string;
}

/**
 * Puts a list together from its pages, in the order in which they were got: the first starts from nothing, each further one where
 * the one before it ended, the last one is complete. Null: one is missing, is not signed by the owner's keys, or is another's.
 */
export async function readRevocationList(
  pages: readonly string[],
  jwks: KeySet,
  owner: ListOwner,
): Promise<RevocationList | null> {
  const entries = new Set<string>();
  let version = '0';
  let issuedAt = -Infinity;
  let complete = false;
  for (const text of pages) {
    const page = await openPage(text, jwks, owner);
    if (page?.since !== version) return null;
    for (const entry of page.revoked) entries.add(entry);
    for (const entry of page.restored) entries.delete(entry);
    ({ version, complete } = page);
    issuedAt = Math.max(issuedAt, Date.parse(page.issuedAt));
  }
  return complete && Number.isFinite(issuedAt) ? { version: BigInt(version), issuedAt, entries } : null;
}

async function openPage(text: string, jwks: KeySet, owner: ListOwner): Promise<Page | null> {
  const opened = await openSigned(text, jwks, listType);
  if (opened.problem) return null;
  const page = opened.claims as unknown as Page;
  if (![page.revoked, page.restored].every(Array.isArray) || !/^\d+$/.test(page.version)) return null;
  const isOwn = page.iss === owner.iss && page.testMode === owner.testMode;
  return isOwn && opened.mode === (owner.testMode ? 'test' : 'live') ? page : null;
}
