import type pg from 'pg';
import type { Prisma } from '../generated/prisma/client.js';
import { claimIdempotencyKey, keepIdempotentResult } from './idempotency.js';
import { TransactionTooLong, violatedConstraint } from './databaseError.js';
import type { InsertableRows } from './insertableRows.js';
import { insertion } from './insertion.js';
import { allOf, writeTogether } from './pipeline.js';
import { Refusal, type UserErrorData } from './refusal.js';
import type { RequestContext } from './requestContext.js';
import { rethrowHere, runStatement } from './statement.js';

/**
 * A transaction begins no statement after this. When Prisma's own time limit strikes, it gives the connection back while the
 * use case goes on: what it then sent would run outside the transaction, or inside another one. So ours ends first: one last
 * statement may take what `statement_timeout` allows, and Prisma waits longer than both together.
 */
const LAST_STATEMENT_MS = 8_000;
const PRISMA_TIMEOUT_MS = 30_000;

/** Reads for a caller: a transaction does, and so does the pool for queries. */
export interface SqlReader {
  readonly ctx: RequestContext;
  /** A prepared statement; `name` is the statement's own for ever. Rows come in the types of Prisma's rows. */
  sql<Row extends object>(name: string, text: string, values: unknown[]): Promise<Row[]>;
}

/** What reads for a query, outside of any transaction. */
export function readerOf(ctx: RequestContext): SqlReader {
  return { ctx, sql: (name, text, values) => ctx.db.sql(name, text, values) };
}

/** A use case whose whole work is one prepared statement, which is its own transaction: no BEGIN, no COMMIT, one round trip. */
export async function inOneStatement<Row extends object>(
  ctx: RequestContext,
  name: string,
  text: string,
  values: unknown[],
): Promise<Row[]> {
  const { rows } = await ctx.db.writer.pool.query<Row>({ name, text, values });
  return rows;
}

/** One transaction on one connection, as the measured hot paths use it: prepared statements only. */
export interface SqlTx extends SqlReader {
  /** Remembers rows; they are written, all tables in one statement, by `flush` or before the commit. Rows of one call have the same fields. */
  insert<Table extends keyof InsertableRows>(table: Table, ...rows: InsertableRows[Table][]): void;
  /** Writes the remembered rows now. */
  flush(): Promise<void>;
  /** Remembers a statement that is sent after the last rows, with COMMIT; what it gives, nobody gets. Where it fails, all does. */
  atEnd(name: string, text: string, values: unknown[]): void;
}

/** One transaction on one connection, with Prisma for everyday use and statements where they are measured. */
export interface Tx extends SqlTx {
  readonly prisma: Prisma.TransactionClient;
}

/** What a violated constraint means to the caller: the refusal to give instead of a fault, by the constraint's or index's name. */
export type ConflictRefusals = Readonly<Record<string, () => UserErrorData>>;

/**
 * Opens the one transaction of a use case; READ COMMITTED. Claims the caller's idempotency key first and keeps the result with
 * it, in the same transaction. Prisma's own transaction, with `sql` on its connection. Never nest them.
 * @param result of `work` must be ids and scalars when the caller may give an idempotency key
 */
export async function inTransaction<Result extends object>(
  ctx: RequestContext,
  work: (tx: Tx) => Promise<Result>,
  conflicts: ConflictRefusals = {},
): Promise<Result> {
  const { captured, prisma } = ctx.db.writer;
  return refusing(conflicts, () =>
    captured.run({}, () =>
      prisma.$transaction(
        async (transaction) => {
          const client = captured.getStore()?.client;
          if (!client) throw new Error("the connection of Prisma's transaction was not captured");
          return untilDone(sqlTx(ctx, client), (tx) => perform({ ...tx, prisma: transaction }, work));
        },
        { maxWait: 5_000, timeout: PRISMA_TIMEOUT_MS },
      ),
    ),
  );
}

/** The same for measured hot paths: prepared statements only, a quarter of the cost. */
export async function inSqlTransaction<Result extends object>(
  ctx: RequestContext,
  work: (tx: SqlTx) => Promise<Result>,
  conflicts: ConflictRefusals = {},
): Promise<Result> {
  return refusing(conflicts, async () => {
    const client = await ctx.db.writer.pool.connect();
    let broken: Error | undefined;
    // A checked-out connection that breaks also emits its error; without a listener that would end the process.
    const onError = (error: Error) => (broken = error);
    client.on('error', onError);
    try {
      writeTogether(client);
      const begun = client.query('BEGIN');
      return await untilDone(sqlTx(ctx, client, begun), (tx) => performAndCommit(tx, client, begun, work));
    } catch (error) {
      await client.query('ROLLBACK').catch((rollbackError: Error) => (broken = rollbackError));
      throw error;
    } finally {
      client.removeListener('error', onError);
      // A connection that broke or could not roll back is thrown away, not given to somebody else.
      client.release(broken);
    }
  });
}

/**
 * BEGIN goes out with the first statement, and COMMIT with the last rows: where those are refused, PostgreSQL makes of it a
 * ROLLBACK. Nothing is awaited between the two that could fail unseen.
 */
async function performAndCommit<Result extends object>(
  tx: EndingTx,
  client: pg.PoolClient,
  begun: Promise<unknown>,
  work: (tx: SqlTx) => Promise<Result>,
): Promise<Result> {
  const { idempotency } = tx.ctx;
  if (idempotency) await claimIdempotencyKey(tx, idempotency);
  const result = await work(tx);
  await begun;
  const written = tx.flush();
  written.catch(() => undefined); // It may fail before somebody waits for it, where what follows is not even sent.
  if (idempotency) await allOf([written, keepIdempotentResult(tx, idempotency, result)]);
  const [, , { command }] = await allOf([written, tx.finish(), client.query('COMMIT')]);
  if (command !== 'COMMIT') throw new Error('the transaction was rolled back, though no statement of it failed');
  return result;
}

async function perform<T extends EndingTx, Result extends object>(
  tx: T,
  work: (tx: T) => Promise<Result>,
): Promise<Result> {
  const { idempotency } = tx.ctx;
  if (idempotency) await claimIdempotencyKey(tx, idempotency);
  const result = await work(tx);
  await tx.flush();
  await tx.finish();
  if (idempotency) await keepIdempotentResult(tx, idempotency, result);
  return result;
}

async function refusing<Result>(conflicts: ConflictRefusals, run: () => Promise<Result>): Promise<Result> {
  try {
    return await run();
  } catch (error) {
    const constraint = violatedConstraint(error);
    const conflict = constraint === null ? undefined : conflicts[constraint];
    if (conflict) throw new Refusal([conflict()]);
    throw error;
  }
}

/** A transaction that ends: what a step that nobody awaits would send after that would be part of another one, or of none. */
interface EndingTx extends SqlTx {
  /** Sends what was to come last. */
  finish(): Promise<unknown>;
  end(): void;
}

async function untilDone<Result>(tx: EndingTx, work: (tx: EndingTx) => Promise<Result>): Promise<Result> {
  try {
    return await work(tx);
  } finally {
    tx.end();
  }
}

/** @param begun its BEGIN, which may be under way: whoever has had a statement's answer has had that of BEGIN */
function sqlTx(ctx: RequestContext, client: pg.PoolClient, begun: Promise<unknown> = Promise.resolve()): EndingTx {
  const remembered = new Map<string, object[]>();
  const beganAt = performance.now();
  const last: [name: string, text: string, values: unknown[]][] = [];
  let isOver = false;
  begun.catch(() => undefined);
  const tx: EndingTx = {
    ctx,
    end: () => void (isOver = true),
    // Throws what it does not even send, so that no COMMIT follows it.
    sql<Row extends object>(name: string, text: string, values: unknown[]) {
      if (isOver) throw new Error('the transaction is over, and yet a step goes on: await every step');
      if (performance.now() - beganAt > LAST_STATEMENT_MS) throw new TransactionTooLong();
      writeTogether(client);
      const answer = runStatement<Row>(client, { name, text, values }).then(async (rows) => {
        await begun;
        return rows;
      });
      return answer.catch(rethrowHere);
    },
    insert(table, ...rows) {
      const list = remembered.get(table);
      if (list) list.push(...rows);
      else if (rows.length > 0) remembered.set(table, [...rows]);
    },
    flush() {
      if (remembered.size === 0) return Promise.resolve();
      const batch = [...remembered];
      remembered.clear();
      return tx.sql(...insertion(batch)).then(() => undefined);
    },
    atEnd: (...statement) => void last.push(statement),
    finish: () => allOf(last.splice(0).map((statement) => tx.sql(...statement))),
  };
  return tx;
}
