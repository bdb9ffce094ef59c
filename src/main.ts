import { setFlagsFromString } from 'node:v8';
import { demoFile, keepDemoUrl, seedDemo, type SeedParts } from '../prisma/seed.js';
import { lapseActivations } from './activations/lapseActivations.js';
import { createApp } from './app.js';
import { ConfigError, readConfig, type Config } from './config.js';
import { applyMigrations } from './database/applyMigrations.js';
import { startEmbeddedPostgres } from './database/embeddedPostgres.js';
import { licenseKeyMail } from './grants/licenseKeyMail.js';
import { openDatabase, type Database } from './kernel/database.js';
import { checkKeyring, keyringOf } from './keyring.js';
import { keyMail } from './licenseKeys/keyMail.js';
import { rekeySigningKeys } from './licenseFiles/rekeySigningKeys.js';
import { noticeLowStock } from './licenseKeys/noticeLowStock.js';
import { rekeyLicenseKeys } from './licenseKeys/rekeyLicenseKeys.js';
import { applyDueProductKeyEvents } from './productKeys/applyDueProductKeyEvents.js';
import { closeDuePeriods } from './productKeys/closeDuePeriods.js';
import {
  productKeyCreatedMail,
  productKeyDisabledMail,
  quotaThresholdMail,
  trialExpiringMail,
} from './productKeys/productKeyMail.js';
import { applyDueLicenseChanges } from './licenses/applyDueLicenseChanges.js';
import { forgetLicenseFileHolds } from './licenseFiles/forgetLicenseFileHolds.js';
import { forgetLoginTokens } from './loginTokens/forgetLoginTokens.js';
import { createLog, type Logger } from './log.js';
import { readyText } from './readyText.js';
import { stopOnSignals, type Stop } from './stopOnSignals.js';
import { forgetUsageKeys } from './usage/forgetUsageKeys.js';
import { startWorker, type Worker } from './worker.js';

/** A supervisor expects the process to be gone within 10 seconds; what follows the drain takes the rest of them. */
const drainMs = 8_000;

// Collect what is old before it has grown by more than a third: memory stays flat, for a few percent of processor time.
setFlagsFromString('--heap-growing-percent=30');

/** Runs the stages in order. Each pushes how it is undone; stopping undoes them from the last to the first. */
async function main(): Promise<void> {
  const config = readConfigOrExit();
  // Whoever read the log may go away: that must not end a server that others still use.
  for (const stream of [process.stdout, process.stderr]) stream.on('error', () => {});
  const log = createLog(config);
  const stops: Stop[] = [];
  stopOnSignals(log, stops);
  try {
    const { db, directUrl } = await startDatabase(config, log, stops);
    const keyring = keyringOf(config);
    await checkKeyring(db, keyring, new Date());
    if (config.databaseUrl === null) await seedEmbedded(config, { db, keyring }, log);
    const parts = { config, db, keyring, log };
    const worker = config.role === 'api' ? null : await startBackground({ ...parts, url: directUrl });
    // The worker and the API end at the same time: each may take most of what a supervisor waits for.
    const ending: (() => Promise<void>)[] = worker ? [() => worker.stop()] : [];
    stops.push({ name: 'API and worker', stop: async () => void (await Promise.all(ending.map((end) => end()))) });
    if (config.role !== 'worker') ending.push(await startApi({ ...parts, onMutation: worker?.wake }));
    log.info({ role: config.role }, 'ready');
  } catch (error) {
    log.fatal({ err: error }, 'cannot start');
    for (const { stop } of stops.toReversed()) await stop().catch(() => {});
    process.exit(1);
  }
}

function readConfigOrExit(): Config {
  try {
    return readConfig();
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    process.stderr.write(`${error.message}\n`);
    process.exit(1);
  }
}

/** A migrated database with open pools, and its direct address: the configured one, or an embedded one in the data folder. */
async function startDatabase(config: Config, log: Logger, stops: Stop[]): Promise<{ db: Database; directUrl: string }> {
  let url = config.databaseUrl;
  if (url === null) {
    const embedded = await startEmbeddedPostgres({ dataDir: config.dataDir, log: (line) => log.debug(line) });
    stops.push({ name: 'embedded PostgreSQL', stop: () => embedded.stop() });
    url = embedded.url;
  }
  const directUrl = config.directDatabaseUrl ?? url;
  await applyMigrations(directUrl);
  const db = openDatabase({
    url,
    readConnections: config.pools.read,
    writeConnections: config.pools.write,
    onIdleError: (error) => log.warn({ reason: error.message }, 'an idle database connection broke'),
  });
  stops.push({ name: 'database pools', stop: () => db.close() });
  return { db, directUrl };
}

/** Relay, jobs and schedule: what carries onward what requests wrote down. */
function startBackground(parts: Omit<Parameters<typeof startWorker>[0], 'contents' | 'tasks'>): Promise<Worker> {
  const { db, keyring } = parts;
  return startWorker({
    ...parts,
    contents: {
      'license-key': async ({ now }, delivery) => {
        const vars = await licenseKeyMail(db, keyring, delivery, now);
        return vars && { vars };
      },
      'license-key-rotated': async ({ now }, delivery) => {
        const vars = await keyMail(db, keyring, delivery, now);
        return vars && { vars };
      },
      'product-key-created': async ({ now }, delivery) => {
        const vars = await productKeyCreatedMail(db, keyring, delivery, now);
        return vars && { vars };
      },
      'product-key-trial-expiring': async ({ now }, delivery) => {
        const vars = await trialExpiringMail(db, delivery, now);
        return vars && { vars };
      },
      'product-key-disabled': async ({ now }, delivery) => {
        const vars = await productKeyDisabledMail(db, delivery, now);
        return vars && { vars };
      },
      'product-key-quota-threshold': async ({ now }, delivery) => {
        const vars = await quotaThresholdMail(db, delivery, now);
        return vars && { vars };
      },
    },
    tasks: {
      applyDueLicenseChanges,
      applyDueProductKeyEvents,
      closeDuePeriods,
      forgetLicenseFileHolds,
      forgetLoginTokens,
      forgetUsageKeys,
      lapseActivations,
      noticeLowStock,
      rekeyLicenseKeys,
      rekeySigningKeys,
    },
  });
}

/** A database of our own gets a demo vendor the first time, so that there is something to try. */
async function seedEmbedded(config: Config, parts: Pick<SeedParts, 'db' | 'keyring'>, log: Logger): Promise<void> {
  const { dataDir, mailFolder } = config;
  if (await seedDemo({ ...parts, dataDir, mailFolder })) log.info({ file: demoFile(dataDir) }, 'made a demo vendor');
}

/** Listens, and gives how it is ended: new requests are turned away, those in flight finish. */
async function startApi(parts: Parameters<typeof createApp>[0]): Promise<() => Promise<void>> {
  const { config, log } = parts;
  const { server, lastUsed } = await createApp(parts);
  const flush = () =>
    lastUsed.flush().catch((error: Error) => log.warn({ reason: error.message }, 'last uses not written'));
  const flushing = setInterval(() => void flush(), 60_000).unref();
  const end = async () => {
    // Whoever has not finished by then is cut off, so that the process ends when its supervisor expects it to.
    const cutOff = setTimeout(() => server.server.closeAllConnections(), drainMs).unref();
    await server.close();
    clearTimeout(cutOff);
    clearInterval(flushing);
    await flush();
  };
  const address = await server.listen({ host: config.host, port: config.port });
  log.info(
    { address: `${address}/graphql`, playground: config.playground ? `${address}/graphiql` : undefined },
    'listening',
  );
  const hasDemo = config.databaseUrl === null && keepDemoUrl(config.dataDir, `${address}/graphql`);
  const { nodeEnv, playground, dataDir } = config;
  if (nodeEnv === 'development') {
    process.stdout.write(readyText({ address, playground, demoFile: hasDemo ? demoFile(dataDir) : null }));
  }
  return end;
}

await main();
