import { readFile } from 'node:fs/promises';
import type { Client } from 'pg';
import { openConnection, type Answer, type Connection } from './client.js';
import { freshBytes } from './freshBytes.js';
import { cpuMsOf, postgresCpuMs } from './processorTime.js';
import type { RunningServer } from './servers/server.js';

/** What one round of requests cost. Null where this system does not tell. */
export interface Round {
  readonly requests: number;
  readonly perSecond: number;
  readonly p50: number;
  readonly p99: number;
  /** Milliseconds of the server process's processor time a request, its user's and the system's. */
  readonly cpuMs: number | null;
  /** After the round. */
  readonly residentMb: number | null;
  /** Statements a request, BEGIN and COMMIT among them. */
  readonly statements: number;
  /** Milliseconds that PostgreSQL worked on a request's statements, and waited in them for locks. */
  readonly databaseMs: number;
  /** Milliseconds of the processor time of all of PostgreSQL's processes a request. */
  readonly postgresMs: number | null;
  /** The same of this process, which sends the requests. */
  readonly clientMs: number;
}

/** What tells of PostgreSQL. */
export interface Watched {
  /** A connection to another database than the one that is asked. */
  readonly statistics: Client;
  /** PostgreSQL's first process. */
  readonly postgresPid: number;
}

/** When a round ends: whichever comes first. */
export interface Limits {
  readonly ms: number;
  readonly requests: number;
  readonly concurrency: number;
}

/** Sends requests in turn over as many connections as `concurrency` says, each its next one as soon as it has its answer. */
export async function measure(
  server: RunningServer,
  requests: readonly Buffer[],
  limits: Limits,
  check: (answer: Answer) => void,
  { statistics, postgresPid }: Watched,
): Promise<Round> {
  const connections = await Promise.all(Array.from({ length: limits.concurrency }, () => openConnection(server.port)));
  try {
    const sqlBefore = await statementTotals(statistics);
    const before = await processorTimes(server.pid, postgresPid);
    const start = performance.now();
    const latencies = await drive(connections, requests, limits, check);
    const seconds = (performance.now() - start) / 1_000;
    const after = await processorTimes(server.pid, postgresPid);
    const sqlAfter = await statementTotals(statistics);
    const count = latencies.length;
    latencies.sort((a, b) => a - b);
    return {
      requests: count,
      perSecond: count / seconds,
      p50: latencies[Math.floor(count * 0.5)]!,
      p99: latencies[Math.floor(count * 0.99)]!,
      cpuMs: between(before.server, after.server, count),
      residentMb: await residentMbOf(server.pid),
      statements: (sqlAfter.calls - sqlBefore.calls) / count,
      databaseMs: (sqlAfter.ms - sqlBefore.ms) / count,
      postgresMs: between(before.postgres, after.postgres, count),
      clientMs: (after.client - before.client) / count,
    };
  } finally {
    for (const connection of connections) connection.close();
  }
}

/** In milliseconds, since the processes began. */
async function processorTimes(serverPid: number, postgresPid: number) {
  const [server, postgres] = await Promise.all([cpuMsOf(serverPid), postgresCpuMs(postgresPid)]);
  const { user, system } = process.cpuUsage();
  return { server, postgres, client: (user + system) / 1_000 };
}

/** What each of `count` took. */
function between(before: number | null, after: number | null, count: number): number | null {
  return before === null || after === null ? null : (after - before) / count;
}

async function drive(
  connections: readonly Connection[],
  requests: readonly Buffer[],
  limits: Limits,
  check: (answer: Answer) => void,
): Promise<number[]> {
  const latencies: number[] = [];
  const end = performance.now() + limits.ms;
  let sent = 0;
  await Promise.all(
    connections.map(async (connection) => {
      while (sent < limits.requests && performance.now() < end) {
        const start = performance.now();
        const answer = await connection.send(freshBytes(requests[sent++ % requests.length]!));
        latencies.push(performance.now() - start);
        check(answer);
      }
    }),
  );
  return latencies;
}

/**
 * All that PostgreSQL has counted in the database `latchkey`; asked over a connection to another one, so it counts only others. The
 * look-ups of foreign keys that wait for the COMMIT are nobody's statements.
 */
async function statementTotals(db: Client): Promise<{ calls: number; ms: number }> {
  const { rows } = await db.query<{ calls: number; ms: number }>(
    `SELECT coalesce(sum(calls) FILTER (WHERE query NOT LIKE 'SELECT $_ FROM ONLY %'), 0)::float8 AS calls,
       coalesce(sum(total_exec_time), 0)::float8 AS ms
     FROM pg_stat_statements WHERE dbid = (SELECT oid FROM pg_database WHERE datname = 'latchkey')`,
  );
  return rows[0]!;
}

async function residentMbOf(pid: number): Promise<number | null> {
  const text = await readFile(`/proc/${pid}/status`, 'utf8').catch(() => '');
  const kilobytes = /^VmRSS:\s+(\d+)/m.exec(text)?.[1];
  return kilobytes === undefined ? null : Number(kilobytes) / 1_024;
}

/** The middle value; of an even number of values, the mean of the two in the middle. Null when one of them is. */
export function median(values: readonly (number | null)[]): number | null {
  const known = values.filter((value) => value !== null).sort((a, b) => a - b);
  if (known.length === 0 || known.length < values.length) return null;
  return (known[Math.floor((known.length - 1) / 2)]! + known[Math.ceil((known.length - 1) / 2)]!) / 2;
}
