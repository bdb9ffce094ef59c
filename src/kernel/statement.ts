import pg from 'pg';
import { prepareValue } from 'pg/lib/utils.js';

/** What of node-postgres's own query this file builds upon; `test/kernel/statement.test.ts` shows that it is still so. */
interface QueryInside {
  readonly name: string | undefined;
  readonly text: string;
  readonly values: unknown[] | undefined;
  readonly _result: { readonly _types: pg.CustomTypesConfig };
  _canceledDueToError: unknown;
  callback: (error: Error | null, rows: object[]) => void;
  submit(connection: Connection): Error | null;
  handleError(error: unknown, connection: Connection): void;
}

interface Connection extends Omit<pg.Connection, 'bind' | 'execute'> {
  bind(config: {
    statement: string | undefined;
    values: unknown[] | undefined;
    valueMapper: (value: unknown) => unknown;
  }): void;
  execute(portal: object): void;
  [shapes]?: Map<string, Shape>;
}

const Query = pg.Query as unknown as new (config: pg.QueryConfig) => QueryInside;
const shapes = Symbol('shapes');

/** What is known of a statement once PostgreSQL has described its rows. */
interface Shape {
  readonly text: string;
  readonly rowOf: (fields: readonly (string | null)[]) => object;
}

type Parser = (text: string) => unknown;

/** How node-postgres reads types that it does not know, and texts: it leaves them as they are. */
const asIs: unknown = pg.types.getTypeParser(pg.types.builtins.TEXT, 'text');

/**
 * What makes a row of its columns' texts, as one object literal: filled column by column, objects of dozens of fields would be
 * moved about in memory while they grow.
 */
function rowMaker(names: readonly string[], parsers: readonly Parser[]): Shape['rowOf'] {
  const read = (i: number) => (parsers[i] === asIs ? `f[${i}]` : `f[${i}] === null ? null : p[${i}](f[${i}])`);
  const literal = names.map((name, i) => `${JSON.stringify(name)}: ${read(i)}`).join(', ');
  // eslint-disable-next-line @typescript-eslint/no-implied-eval -- of nothing but the names of our own statements' columns
  const make = new Function('p', 'f', `return { ${literal} };`) as (p: typeof parsers, f: unknown) => object;
  return (fields) => make(parsers, fields);
}

/** Makers of rows by the names and types of their columns: a list's statement is not prepared, and so is described each time. */
const makers = new Map<string, { readonly parsers: readonly Parser[]; readonly rowOf: Shape['rowOf'] }>();
const MAX_MAKERS = 1_000;

function rowMakerOf(
  fields: readonly { name: string; dataTypeID: number }[],
  types: pg.CustomTypesConfig,
): Shape['rowOf'] {
  const parsers = fields.map(({ dataTypeID }) => types.getTypeParser(dataTypeID, 'text') as Parser);
  const key = fields.map(({ name, dataTypeID }) => `${dataTypeID} ${name}`).join();
  const known = makers.get(key);
  if (known?.parsers.every((parser, i) => parser === parsers[i])) return known.rowOf;
  const rowOf = rowMaker(
    fields.map(({ name }) => name),
    parsers,
  );
  if (makers.size < MAX_MAKERS) makers.set(key, { parsers, rowOf });
  return rowOf;
}

/**
 * A statement on its way. What the rows of a prepared one look like is asked of PostgreSQL once a connection: node-postgres asks, and
 * reads it, each time, which costs more than reading a row.
 */
class Statement extends Query {
  private connection: Connection | undefined;
  private shape: Shape | undefined;
  private readonly read: object[] = [];

  override submit(connection: Connection): Error | null {
    this.connection = connection;
    this.shape = this.name === undefined ? undefined : connection[shapes]?.get(this.name);
    if (this.shape?.text !== this.text) return super.submit(connection);
    connection.stream.cork();
    try {
      connection.bind({ statement: this.name, values: this.values, valueMapper: prepareValue });
      connection.execute({});
      connection.sync();
    } catch (error) {
      return error as Error; // A value cannot be written: nothing was sent.
    } finally {
      connection.stream.uncork();
    }
    return null;
  }

  handleRowDescription({ fields }: { fields: { name: string; dataTypeID: number }[] }): void {
    this.shape = { text: this.text, rowOf: rowMakerOf(fields, this._result._types) };
    if (this.name === undefined || !this.connection) return;
    (this.connection[shapes] ??= new Map<string, Shape>()).set(this.name, this.shape);
  }

  handleDataRow({ fields }: { fields: (string | null)[] }): void {
    if (this._canceledDueToError) return;
    try {
      this.read.push((this.shape as Shape).rowOf(fields));
    } catch (error) {
      this._canceledDueToError = error;
    }
  }

  /** How many rows it changed is not asked for. */
  handleCommandComplete(): void {
    return undefined;
  }

  handleReadyForQuery(connection: Connection): void {
    if (this._canceledDueToError) this.handleError(this._canceledDueToError, connection);
    else this.callback(null, this.read);
  }
}

/** Runs one statement on a connection, prepared under its name if it has one. @returns its rows */
export function runStatement<Row extends object>(client: pg.PoolClient, statement: pg.QueryConfig): Promise<Row[]> {
  return new Promise((resolve, reject) => {
    const query = new Statement(statement);
    query.callback = (error, rows) => (error ? reject(error) : resolve(rows as Row[]));
    client.query(query as never);
  });
}

/** Throws a statement's error on, with a stack that leads to the step that asked and no longer to the socket. */
export function rethrowHere(error: Error): never {
  Error.captureStackTrace(error, rethrowHere);
  throw error;
}
