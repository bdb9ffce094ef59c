import { afterAll, beforeAll } from '@jest/globals';
import type { FastifyInstance } from 'fastify';
import { pino } from 'pino';
import { createApp } from '../../src/app.js';
import { readConfig } from '../../src/config.js';
import { openDatabase, type Database } from '../../src/kernel/database.js';
import { keyringOf } from '../../src/keyring.js';
import { cloneDatabase, type TestDatabase } from './database.js';

/** The operator's token in tests. */
export const adminToken = 'test-admin-token-0123456789abcdef0123456789';

/** Settings that every test server shares: secrets of its own, no rate limit, no log. */
export const testEnvironment = {
  NODE_ENV: 'test',
  LATCHKEY_ADMIN_TOKEN: adminToken,
  LATCHKEY_HMAC_KEYS: `h1:${Buffer.alloc(32, 1).toString('base64')}`,
  LATCHKEY_ENCRYPTION_KEYS: `e1:${Buffer.alloc(32, 2).toString('base64')}`,
  LATCHKEY_RATE_TOKEN_CAPACITY: '0',
  LATCHKEY_RATE_IP_CAPACITY: '0',
  LATCHKEY_RATE_KEYS_CAPACITY: '0',
  LATCHKEY_LOG_LEVEL: 'silent',
};

/** What an answer holds: as a client reads it. */
export interface Answer {
  status: number;
  headers: Record<string, string | string[] | number | undefined>;

  data: any;
  errors?: { message: string; path?: (string | number)[]; extensions: Record<string, unknown> }[];

  extensions?: any;
}

/** One call of the public API. */
export interface Call {
  token?: string | null;
  query: string;
  variables?: Record<string, unknown>;
  headers?: Record<string, string>;
}

/** A statement that the database was sent. */
export interface Statement {
  readonly name: string | null;
  readonly text: string;
}

/** The real server over a clone of the migrated database, called as clients call it. */
export interface Api {
  call(call: Call): Promise<Answer>;
  /** The same, when it must succeed: fails the test on any error, and gives `data`. */

  data(call: Call): Promise<any>;
  /** Sets the program's clock; null: the system's. */
  setNow(now: Date | string | null): void;
  /** What the server's clock says. */
  now(): Date;
  readonly db: Database;
  readonly url: string;
  readonly server: FastifyInstance;
  /** How many statements the database was sent while `work` ran, without those whose answers are remembered for a second. */
  countStatements(work: () => Promise<unknown>): Promise<number>;
  /** The same statements, as they were sent. */
  statementsOf(work: () => Promise<unknown>): Promise<Statement[]>;
}

/** Statements whose answers are remembered for a second: they come when they come. */
const remembered = new Set<string | null>(['authenticate', 'find_brand', 'sole_business', 'exclusive_key_patterns']);

/** Starts the API for a test file and stops it after. */
export function useApi(environment: Record<string, string> = {}): Api {
  let clone: TestDatabase;
  let db: Database;
  let server: FastifyInstance;
  let now: Date | null = null;
  let statements = 0;
  let noted: Statement[] | null = null;

  beforeAll(async () => {
    clone = await cloneDatabase();
    const config = readConfig({ ...testEnvironment, ...environment });
    const opened = openDatabase({ url: clone.url, readConnections: 8, writeConnections: 24 });
    db = {
      ...opened,
      sql: (name, text, values) => {
        if (!remembered.has(name)) {
          statements++;
          noted?.push({ name, text });
        }
        return opened.sql(name, text, values);
      },
    };
    const app = await createApp({
      config,
      db,
      keyring: keyringOf(config),
      log: pino({ level: 'silent' }),
      clock: () => now ?? new Date(),
    });
    server = app.server;
    await server.ready();
  });

  afterAll(async () => {
    await server.close();
    await db.close();
    await clone.drop();
    // The module of a test file stays as long as its worker, and must not keep a whole server in memory.
    server = db = undefined as never;
  });

  const api: Api = {
    async call({ token, query, variables, headers }) {
      const response = await server.inject({
        method: 'POST',
        url: '/graphql',
        headers: { ...(token ? { authorization: `Bearer ${token}` } : {}), ...headers },
        payload: { query, variables },
      });
      return {
        status: response.statusCode,
        headers: response.headers,
        ...response.json<Omit<Answer, 'status' | 'headers'>>(),
      };
    },
    async data(call) {
      const answer = await api.call(call);
      if (answer.errors) throw new Error(JSON.stringify(answer.errors, null, 2));
      for (const [field, payload] of Object.entries(answer.data as Record<string, { userErrors?: unknown[] } | null>)) {
        if (payload?.userErrors?.length) throw new Error(`${field}: ${JSON.stringify(payload.userErrors, null, 2)}`);
      }
      return answer.data;
    },
    now: () => now ?? new Date(),
    setNow(instant) {
      now = instant === null ? null : new Date(instant);
    },
    async countStatements(work) {
      const before = statements;
      await work();
      return statements - before;
    },
    async statementsOf(work) {
      const sent: Statement[] = (noted = []);
      await work();
      noted = null;
      return sent;
    },
    get db() {
      return db;
    },
    get url() {
      return clone.url;
    },
    get server() {
      return server;
    },
  };
  return api;
}
