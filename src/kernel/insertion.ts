import { columnName } from './rows.js';

/** A statement with its values. */
export type Insertion = [name: string, text: string, values: unknown[]];

/** Rows to be inserted, by table, the first table first. All rows of a table have the same fields. */
type Batch = readonly (readonly [table: string, rows: readonly object[]])[];

/**
 * Tables that the busiest writes go to, which all of them may be written value by value: lists in their rows are PostgreSQL's
 * arrays, and their JSON columns hold objects only.
 */
const plain: ReadonlySet<string> = new Set([
  'changes',
  'deliveries',
  'grants',
  'license_key_bindings',
  'license_key_lookups',
  'license_keys',
  'licenses',
  'order_lines',
  'orders',
]);

/** So many changes, and one row of each other table, are written value by value: each such batch has a statement of its own. */
const MAX_PLAIN_CHANGES = 8;
/** Every connection keeps the statements that it has used. */
const MAX_PLAIN_SHAPES = 100;

const plainStatements = new Map<string, { name: string; text: string }>();
const listStatements = new Map<string, { name: string; text: string }>();

/**
 * One statement for all tables: a WITH of INSERTs; foreign keys are checked when it ends. Few rows go value by value, which is less
 * work for PostgreSQL; more, or of other tables, as a JSON list for each table.
 */
export function insertion(batch: Batch): Insertion {
  const columns = batch.map(([table, rows]) => fieldsOf(table, rows));
  return (isPlain(batch) && valueByValue(batch, columns)) || byLists(batch, columns);
}

function isPlain(batch: Batch): boolean {
  return batch.every(
    ([table, rows]) => plain.has(table) && rows.length <= (table === 'changes' ? MAX_PLAIN_CHANGES : 1),
  );
}

/** Null when there are too many shapes already. */
function valueByValue(batch: Batch, columns: readonly string[]): Insertion | null {
  const key = batch.map(([table, rows], i) => `${table} ${rows.length} ${columns[i]}`).join(' ');
  let statement = plainStatements.get(key);
  if (!statement) {
    if (plainStatements.size >= MAX_PLAIN_SHAPES) return null;
    statement = { name: `insert_values_${plainStatements.size}`, text: textOfValues(batch) };
    plainStatements.set(key, statement);
  }
  const values: unknown[] = [];
  for (const [, rows] of batch) {
    const fields = Object.keys(rows[0] as object);
    for (const row of rows)
      for (const field of fields) values.push(asParameter((row as Record<string, unknown>)[field]));
  }
  return [statement.name, statement.text, values];
}

/**
 * A binding's trigger reads its license, and PostgreSQL runs such INSERTs in no promised order: so it waits for the license. The
 * others need none; who waits for the same two rows the other way round is tried again.
 */
function textOfValues(batch: Batch): string {
  const license = batch.findIndex(([table]) => table === 'licenses');
  let count = 0;
  const parts = batch.map(([table, rows], i) => {
    const fields = Object.keys(rows[0] as object);
    const places = rows.map(() => fields.map(() => `$${++count}`).join(', '));
    const waits = table === 'license_key_bindings' && license >= 0;
    const source = waits
      ? `SELECT ${places[0]} WHERE (SELECT count(*) FROM i${license}) >= 0`
      : `VALUES (${places.join('), (')})`;
    return `i${i} AS (INSERT INTO ${table} (${columnList(fields)}) ${source} RETURNING 1)`;
  });
  return `WITH ${parts.join(', ')} SELECT 1`;
}

/** Each table waits for the one before it. */
function byLists(batch: Batch, columns: readonly string[]): Insertion {
  const key = batch.map(([table], i) => `${table} ${columns[i]}`).join(' ');
  let statement = listStatements.get(key);
  if (!statement) {
    const parts = batch.map(([table, rows], i) => {
      const list = columnList(Object.keys(rows[0] as object));
      const after = i === 0 ? '' : ` WHERE (SELECT count(*) FROM i${i - 1}) >= 0`;
      return `i${i} AS (INSERT INTO ${table} (${list}) SELECT ${list} FROM jsonb_populate_recordset(NULL::${table}, $${i + 1}::jsonb)${after} RETURNING 1)`;
    });
    statement = { name: `insert_${listStatements.size}`, text: `WITH ${parts.join(', ')} SELECT 1` };
    listStatements.set(key, statement);
  }
  return [statement.name, statement.text, batch.map(([, rows]) => JSON.stringify(rows.map(rowAsJson)))];
}

function columnList(fields: readonly string[]): string {
  return fields.map((field) => `"${columnName(field)}"`).join(', ');
}

/** The fields of rows, which must agree on them: one that only some rows have would be lost without a word. */
function fieldsOf(table: string, rows: readonly object[]): string {
  const [first = '', ...others] = rows.map((row) => Object.keys(row).join());
  const odd = others.find((fields) => fields !== first && sorted(fields) !== sorted(first));
  if (odd !== undefined) throw new Error(`rows for ${table} differ in their fields: ${first} and ${odd}`);
  return first;
}

function sorted(fields: string): string {
  return fields.split(',').sort().join();
}

/** A value as node-postgres sends it: it would send an instant in the time zone of the machine. */
function asParameter(value: unknown): unknown {
  if (value instanceof Date) return value.toISOString();
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof Uint8Array)
    ? JSON.stringify(value)
    : value;
}

/** A row by its columns, each value as JSON has it. */
function rowAsJson(row: object): object {
  const json: Record<string, unknown> = {};
  for (const field in row) json[columnName(field)] = valueAsJson((row as Record<string, unknown>)[field]);
  return json;
}

function valueAsJson(value: unknown): unknown {
  if (typeof value === 'bigint') return value.toString();
  // Bytes and big integers have no JSON form of their own; PostgreSQL reads these two.
  if (value instanceof Uint8Array) return `\\x${Buffer.from(value).toString('hex')}`;
  return value;
}
