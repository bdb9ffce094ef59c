import { setTimeout as delay } from 'node:timers/promises';

/** Waits; shorter when the signal comes first. */
export async function pause(ms: number, signal: AbortSignal): Promise<void> {
  await delay(ms, undefined, { signal }).catch(() => undefined);
}

/** Waits for something to end, well or badly, but not longer than this; tells whether it did. */
export async function endsWithin(ms: number, work: Promise<unknown>): Promise<boolean> {
  const ended = new AbortController();
  const settled = work.then(
    () => true,
    () => true,
  );
  const inTime = await Promise.race([settled, pause(ms, ended.signal).then(() => false)]);
  ended.abort();
  return inTime;
}
