/** Remembers for a second what was found; what was not is looked for anew. Who asks meanwhile waits for the same look-up. */
export type Memory<Found> = (key: string, find: () => Promise<Found | null>) => Promise<Found | null>;

/** What others change must count within a second, so nothing is remembered for longer. */
const REMEMBERED_MS = 1_000;
const REMEMBERED = 10_000;

/** An empty memory of this process. */
export function createMemory<Found>(): Memory<Found> {
  const remembered = new Map<string, { found: Promise<Found | null>; until: number }>();
  return async (key, find) => {
    const tick = performance.now();
    const hit = remembered.get(key);
    const known = hit && hit.until > tick ? await hit.found : null;
    if (known !== null) return known;
    const found = find();
    remembered.delete(key);
    if (remembered.size >= REMEMBERED) remembered.clear();
    remembered.set(key, { found, until: tick + REMEMBERED_MS });
    const forget = () => remembered.get(key)?.found === found && remembered.delete(key);
    found.then((it) => it === null && forget(), forget);
    return await found; // Not a tick later than who waits for the same look-up: all go on in the order in which they asked.
  };
}
