import type pg from 'pg';
import { runStatement } from './statement.js';

/** What runs a prepared statement and gives its rows. */
export type RunStatement = <Row extends object>(statement: pg.QueryConfig) => Promise<Row[]>;

interface Waiting {
  readonly statement: pg.QueryConfig;
  readonly resolve: (rows: never[]) => void;
  readonly reject: (error: unknown) => void;
}

/** So many statements share a connection; more take another one, and so run beside them. */
const SHARED = 4;

/**
 * Reads on a pool of pipelined connections: the prepared statements that are asked for in one turn of the event loop, by whichever
 * requests, go out a few to a connection, in one write. The system call costs more than all the rest that this process does for
 * a small statement. One that is not prepared (a list, as its caller asked for it) has a connection of its own: it may take
 * long, and would hold up those behind it.
 */
export function createReader(pool: pg.Pool): RunStatement {
  let waiting: Waiting[] = [];
  const send = () => {
    const prepared = waiting.filter(({ statement }) => statement.name !== undefined);
    const others = waiting.filter(({ statement }) => statement.name === undefined);
    waiting = [];
    for (let i = 0; i < prepared.length; i += SHARED) void runTogether(pool, prepared.slice(i, i + SHARED));
    for (const one of others) void runTogether(pool, [one]);
  };
  return (statement) =>
    new Promise((resolve, reject) => {
      if (waiting.length === 0) setImmediate(send);
      waiting.push({ statement, resolve: resolve, reject });
    });
}

/** Never rejects: each statement's caller is told. */
async function runTogether(pool: pg.Pool, batch: readonly Waiting[]): Promise<void> {
  let client: pg.PoolClient;
  try {
    client = await pool.connect();
  } catch (error) {
    for (const { reject } of batch) reject(error);
    return;
  }
  let broken: Error | undefined;
  // A checked-out connection that breaks also emits its error; without a listener that would end the process.
  const onError = (error: Error) => (broken = error);
  client.on('error', onError);
  writeTogether(client);
  await Promise.all(
    batch.map(({ statement, resolve, reject }) =>
      runStatement<never>(client, statement).then(resolve, (error: Error) => {
        broken = error;
        reject(error);
      }),
    ),
  );
  client.removeListener('error', onError);
  client.release(broken);
}

/** Lets what a connection is told in this tick go out in one write. */
export function writeTogether({ connection: { stream } }: pg.PoolClient): void {
  stream.cork();
  process.nextTick(() => stream.uncork());
}

/**
 * Awaits steps that go on at the same time on one connection. When one fails the others are awaited all the same: none may send
 * anything once the transaction is over.
 * @throws what was thrown first: what other steps then throw may only say that the transaction has failed, and would hide a
 *   conflict after which it is tried again
 */
export async function allOf<const Steps extends readonly unknown[]>(
  steps: Steps,
): Promise<{ -readonly [I in keyof Steps]: Awaited<Steps[I]> }> {
  const failures: unknown[] = [];
  const results = await Promise.all(
    steps.map((step) => Promise.resolve(step).catch((error: unknown) => void failures.push(error))),
  );
  if (failures.length > 0) throw failures[0];
  return results as never;
}
