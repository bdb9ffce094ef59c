import { columnName } from './rows.js';

const insertStatements = new Map<string, { name: string; text: string }>();

/**
 * One statement for all tables: a WITH of INSERTs, each from a JSON list; foreign keys are checked when it ends. PostgreSQL
 * runs such INSERTs in no promised order, but a binding's trigger reads its license: each table waits for the one before it.
 */
export function insertStatement(batch: [string, object[]][]): { name: string; text: string } {
  const key = batch.map(([table, rows]) => `${table} ${fieldsOf(table, rows)}`).join(' ');
  let statement = insertStatements.get(key);
  if (!statement) {
    const parts = batch.map(([table, rows], i) => {
      const list = Object.keys(rows[0] ?? {})
        .map((field) => `"${columnName(field)}"`)
        .join(', ');
      const after = i === 0 ? '' : ` WHERE (SELECT count(*) FROM i${i - 1}) >= 0`;
      return `i${i} AS (INSERT INTO ${table} (${list}) SELECT ${list} FROM jsonb_populate_recordset(NULL::${table}, $${i + 1}::jsonb)${after} RETURNING 1)`;
    });
    statement = { name: `insert_${insertStatements.size}`, text: `WITH ${parts.join(', ')} SELECT 1` };
    insertStatements.set(key, statement);
  }
  return statement;
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

/** A row by its columns, each value as JSON has it. */
export function rowAsJson(row: object): object {
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
