import { refusal } from './refusal.js';

/**
 * Refuses to overwrite somebody else's change.
 * @param row the row as it is, locked
 * @param expectedVersion what the caller last saw; absent: it does not care
 * @throws Refusal StaleObject with the version that the row has
 */
export function refuseIfStale(row: { version: number }, expectedVersion: number | null | undefined): void {
  if (expectedVersion == null || expectedVersion === row.version) return;
  const message = `The object has version ${row.version} by now. Read it again, then decide.`;
  throw refusal('StaleObject', ['input', 'expectedVersion'], message, { current: row.version });
}
