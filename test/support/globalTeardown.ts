/** Stops the PostgreSQL of the run and removes its files. */
export default async function globalTeardown(): Promise<void> {
  await globalThis.stopTestDatabase?.();
}
