import { setTimeout as delay } from 'node:timers/promises';

/** Waits for a condition, asked again and again; fails the test after 20 s, saying for what it waited. */
export async function waitUntil(what: string, condition: () => Promise<boolean> | boolean): Promise<void> {
  for (const end = Date.now() + 20_000; Date.now() < end; await delay(10)) {
    if (await condition()) return;
  }
  throw new Error(`waited in vain: ${what}`);
}
