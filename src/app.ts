import type { FastifyInstance } from 'fastify';
import { Registry } from 'prom-client';
import { createAuthenticate } from './accounts/authenticate.js';
import { createFindBrand } from './accounts/findBrand.js';
import { createLastUsed, type LastUsed } from './accounts/lastUsed.js';
import type { Config } from './config.js';
import { createGuessLimiter } from './graphql/rateLimit.js';
import { contextFor, type ContextParts } from './context.js';
import type { Database } from './kernel/database.js';
import { keySetOf } from './keySet.js';
import type { Keyring } from './kernel/secret.js';
import type { Logger } from './log.js';
import { readinessOf } from './readiness.js';
import { createSchema } from './schema.js';
import { createServer } from './server.js';

/** What an API process is made from. */
export interface AppParts {
  readonly config: Config;
  readonly db: Database;
  readonly keyring: Keyring;
  readonly log: Logger;
  /** The program's clock; tests set their own. */
  readonly clock?: () => Date;
  /** Told after each mutation, so that a worker in this process need not wait for its next look. */
  readonly onMutation?: () => void;
}

/** An API server that does not listen yet, and the notes that its owner flushes. */
export interface App {
  readonly server: FastifyInstance;
  readonly lastUsed: LastUsed;
}

/** Puts the API together: schema, authentication, server. */
export async function createApp({
  config,
  db,
  keyring,
  log,
  clock = () => new Date(),
  onMutation,
}: AppParts): Promise<App> {
  const lastUsed = createLastUsed(db);
  const findBrand = createFindBrand(db);
  const parts: ContextParts = {
    db,
    keyring,
    mailFolder: config.mailFolder,
    authenticate: createAuthenticate(db, lastUsed.note),
    findBrand,
    adminToken: config.adminToken,
    clock,
    guessesOf: createGuessLimiter(config.rateLimits.keys),
    onMutation,
  };
  const server = await createServer({
    config,
    schema: createSchema(config.limits),
    log,
    contextFor: (caller) => contextFor(parts, caller),
    keySetOf: (question) => keySetOf(db, findBrand, question, clock()),
    ready: () => readinessOf(db),
    metrics: new Registry(),
  });
  return { server, lastUsed };
}
