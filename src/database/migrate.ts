import { applyMigrations } from './applyMigrations.js';
import { startEmbeddedPostgres } from './embeddedPostgres.js';

/** `npm run db:migrate`: brings the configured database up to date, or else the embedded one. */
async function migrate(): Promise<void> {
  const { DIRECT_DATABASE_URL, DATABASE_URL, LATCHKEY_DATA_DIR, NODE_ENV } = process.env;
  const url = DIRECT_DATABASE_URL || DATABASE_URL;
  if (!url && NODE_ENV === 'production') throw new Error('DATABASE_URL is missing.');
  const embedded = url ? undefined : await startEmbeddedPostgres({ dataDir: LATCHKEY_DATA_DIR || '.data' });
  try {
    const applied = await applyMigrations(url || embedded!.url);
    for (const name of applied) console.log(`applied ${name}`);
    if (applied.length === 0) console.log('nothing to apply: the database is up to date');
  } finally {
    await embedded?.stop();
  }
}

migrate().catch((error: Error) => {
  // An AggregateError, such as a refused connection to each address of a host, has its reasons inside.
  const reasons = error instanceof AggregateError ? error.errors.map(String).join('; ') : error.message;
  console.error(`db:migrate failed: ${reasons.replaceAll('\n', ' ')}`);
  process.exitCode = 1;
});
