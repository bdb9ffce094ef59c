import { AsyncLocalStorage } from 'node:async_hooks';
import { PrismaPg } from '@prisma/adapter-pg';
import pg from 'pg';
import { PrismaClient } from '../generated/prisma/client.js';
import { createReader } from './pipeline.js';

/** The database, with two pools: reads never queue behind writers that wait for locks. */
export interface Database {
  /** Prisma for reading. */
  readonly prisma: PrismaClient;
  /** A prepared statement on the reading pool; `name` is the statement's own for ever. Rows come in the types of Prisma's rows. */
  sql<Row extends object>(name: string | null, text: string, values: unknown[]): Promise<Row[]>;
  /** Only for `kernel/transaction.ts`. */
  readonly writer: Writer;
  /** Ends both pools; call it once, when nothing runs any more. */
  close(): Promise<void>;
}

/** What transactions are opened on. */
export interface Writer {
  readonly pool: pg.Pool;
  readonly prisma: PrismaClient;
  /** The connection that Prisma's transaction, opened within `run`, took from the pool. */
  readonly captured: AsyncLocalStorage<{ client?: pg.PoolClient }>;
}

/** How to reach the database and how many connections to hold. */
export interface DatabaseSettings {
  readonly url: string;
  readonly readConnections: number;
  readonly writeConnections: number;
  /** Told of connections that break while nobody uses them. */
  readonly onIdleError?: (error: Error) => void;
}

const INT8 = 20;
const TIMESTAMPTZ = 1184;

/** bigint as BigInt, as Prisma gives it; instants quickly, as every row has several; everything else as node-postgres reads it. */
const types = {
  getTypeParser: (oid: number, format?: 'text' | 'binary') => {
    if (oid === INT8) return (text: string) => BigInt(text);
    if (oid === TIMESTAMPTZ && format !== 'binary') return instantOf;
    return pg.types.getTypeParser(oid, format) as (text: string) => unknown;
  },
};

const otherInstant = pg.types.getTypeParser(TIMESTAMPTZ, 'text') as (text: string) => Date;

/** Reads `2026-03-01 12:00:00.123+00`, as PostgreSQL writes instants in UTC; whatever looks different is left to node-postgres. */
function instantOf(text: string): Date {
  const end = text.length - 3;
  const isPlain = text.charCodeAt(4) === DASH && text.charCodeAt(end) === PLUS && text.endsWith('00') && end <= 23;
  if (!isPlain) return otherInstant(text);
  const year = twoDigits(text, 0) * 100 + twoDigits(text, 2);
  if (year < 100) return otherInstant(text); // Date.UTC takes them for years of the last century.
  const [day, hour] = [twoDigits(text, 8), twoDigits(text, 11)];
  const [minute, second] = [twoDigits(text, 14), twoDigits(text, 17)];
  const ms = end > 19 ? Number(text.slice(20, end).padEnd(3, '0')) : 0;
  return new Date(Date.UTC(year, twoDigits(text, 5) - 1, day, hour, minute, second, ms));
}

const [DASH, PLUS, ZERO] = [45, 43, 48];

function twoDigits(text: string, at: number): number {
  return (text.charCodeAt(at) - ZERO) * 10 + text.charCodeAt(at + 1) - ZERO;
}

function createPool(settings: DatabaseSettings, max: number): pg.Pool {
  const pool = new pg.Pool({
    connectionString: settings.url,
    max,
    types: types,
    // Statements go out without waiting for the answers of those before them.
    pipeline: true,
    connectionTimeoutMillis: 5_000,
    // The server's own limits end nothing when the path to it is dead: these do.
    query_timeout: 12_000,
    keepAlive: true,
    idleTimeoutMillis: 60_000,
    statement_timeout: 10_000,
    lock_timeout: 8_000,
    idle_in_transaction_session_timeout: 15_000,
    application_name: 'latchkey',
  });
  // A connection that breaks while idle is dropped by the pool; without a listener it would end the process.
  pool.on('error', (error) => settings.onIdleError?.(error));
  return pool;
}

/** Opens the pools; connections are made when they are first needed. */
export function openDatabase(settings: DatabaseSettings): Database {
  const readPool = createPool(settings, settings.readConnections);
  const writePool = createPool(settings, settings.writeConnections);
  const read = createReader(readPool);
  const captured = new AsyncLocalStorage<{ client?: pg.PoolClient }>();
  const prisma = new PrismaClient({ adapter: new PrismaPg(readPool) });
  const writerPrisma = new PrismaClient({ adapter: new PrismaPg(capturingPool(writePool, captured)) });
  return {
    prisma,
    sql: <Row extends object>(name: string | null, text: string, values: unknown[]) =>
      read<Row>(name === null ? { text, values } : { name, text, values }),
    writer: { pool: writePool, prisma: writerPrisma, captured },
    async close() {
      await Promise.all([prisma.$disconnect(), writerPrisma.$disconnect()]);
      await Promise.all([readPool.end(), writePool.end()]);
    },
  };
}

/** The pool, with `connect` telling the caller's async context which connection it got. */
function capturingPool(pool: pg.Pool, captured: Writer['captured']): pg.Pool {
  return new Proxy(pool, {
    get(target, property) {
      const value: unknown = Reflect.get(target, property, target);
      if (property === 'connect') {
        return async () => {
          const client = await target.connect();
          const holder = captured.getStore();
          if (holder) holder.client = client;
          return client;
        };
      }
      return typeof value === 'function' ? (value.bind(target) as unknown) : value;
    },
  });
}
