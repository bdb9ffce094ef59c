import type { Client, Connection, Submittable } from 'pg';
import { columnName } from '../src/kernel/rows.js';

type Value = string | number | boolean | Date | Buffer | readonly string[] | null;

/** By the camelCase names of its columns. All rows of a table have the same ones. */
export type Row = Readonly<Record<string, Value>>;

/** Characters that go out at once, about. */
const CHUNK = 256 * 1024;

/**
 * Fills a table by COPY. Rows are made only as fast as PostgreSQL takes them.
 * @param table its name in camelCase
 * @throws DatabaseError what PostgreSQL says of a row, or what making one throws: then the table has none of them
 */
export async function copyInto(db: Client, table: string, rows: Iterable<Row>): Promise<void> {
  const iterator = rows[Symbol.iterator]();
  const first = iterator.next();
  if (first.done) return;
  const columns = Object.keys(first.value);
  const text = `COPY ${columnName(table)} (${columns.map(columnName).join(', ')}) FROM STDIN`;
  await new Promise<void>((resolve, reject) => {
    db.query(new Copy(text, chunksOf(columns, first, iterator), resolve, reject));
  });
}

function* chunksOf(
  columns: readonly string[],
  first: IteratorResult<Row>,
  rest: Iterator<Row>,
): Generator<Buffer, undefined> {
  let lines = '';
  for (let row = first; !row.done; row = rest.next()) {
    const { value } = row;
    lines += `${columns.map((column) => fieldOf(value[column])).join('\t')}\n`;
    if (lines.length < CHUNK) continue;
    yield Buffer.from(lines);
    lines = '';
  }
  if (lines) yield Buffer.from(lines);
}

const special = /[\\\t\n\r]/;
const escapes: Record<string, string> = { '\\': '\\\\', '\t': '\\t', '\n': '\\n', '\r': '\\r' };

/** A value as COPY's text format has it. */
function fieldOf(value: Value | undefined): string {
  if (typeof value === 'string')
    return special.test(value) ? value.replace(/[\\\t\n\r]/g, (character) => escapes[character]!) : value;
  if (value === null) return '\\N';
  if (value === undefined) throw new Error('a row lacks a column that the first row has');
  if (value instanceof Date) return value.toISOString();
  if (Buffer.isBuffer(value)) return `\\\\x${value.toString('hex')}`;
  if (typeof value === 'object')
    return fieldOf(`{${value.map((item) => `"${item.replace(/["\\]/g, '\\$&')}"`).join(',')}}`);
  return String(value);
}

/** What node-postgres has for COPY on its connections; its types leave it out. */
interface CopyConnection extends Connection {
  sendCopyFromChunk(chunk: Buffer): void;
  endCopyFrom(): void;
  sendCopyFail(message: string): void;
}

/** A COPY on its way: node-postgres calls it as it calls its own queries. */
class Copy implements Submittable {
  private ended = false;
  private failure: unknown;

  constructor(
    private readonly text: string,
    private readonly chunks: Iterator<Buffer>,
    private readonly resolve: () => void,
    private readonly reject: (error: unknown) => void,
  ) {}

  submit(connection: Connection): void {
    connection.query(this.text);
  }

  handleCopyInResponse(connection: CopyConnection): void {
    if (this.ended) return;
    try {
      const { value, done } = this.chunks.next();
      if (done) return connection.endCopyFrom();
      connection.sendCopyFromChunk(value);
    } catch (error) {
      this.failure = error;
      return connection.sendCopyFail('the rows could not be made');
    }
    // Not at once, even when the socket has taken all: meanwhile PostgreSQL may have told of an error, and others want to run.
    const next = () => setImmediate(() => this.handleCopyInResponse(connection));
    if (connection.stream.writableNeedDrain) connection.stream.once('drain', next);
    else next();
  }

  /** Also called when the connection is lost. PostgreSQL itself drops what was sent after its error. */
  handleError(error: unknown): void {
    this.ended = true;
    this.reject(this.failure ?? error);
  }

  handleCommandComplete(): void {
    this.ended = true;
  }

  handleReadyForQuery(): void {
    this.resolve();
  }
}
