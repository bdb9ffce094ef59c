import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Api } from '../support/api.js';

/** Words that stand for a person in these tests: found anywhere, in whatever case, they tell that something of it is left. */
export const words = ['Zyxwina', 'Quobblefrost', 'Glimmerwerk', 'zyx-0815', 'ZYXCODE', 'zyxstreet', 'zyxnote'];

/** Everything that a vendor can say about a customer, made of those words. */
export const person = {
  firstName: 'Zyxwina',
  lastName: 'Quobblefrost',
  companyName: 'Glimmerwerk KG',
  email: 'Zyxwina.Quobblefrost@glimmerwerk.example',
  isEmailVerified: true,
  externalId: 'crm-zyx-0815',
  code: 'ZYXCODE',
  countryCode3Letter: 'LIE',
  locale: 'de-LI',
  metadata: { street: 'zyxstreet 12', zyxnote: true },
};

interface Column {
  schema: string;
  table: string;
  column: string;
}

/** Every place in the database, of whatever table and schema, that holds one of the words: `table.column: word`. */
export async function tracesInDatabase(api: Api): Promise<string[]> {
  const columns = await api.db.sql<Column>(
    null,
    `SELECT c.table_schema AS schema, c.table_name AS table, c.column_name AS column
       FROM information_schema.columns c JOIN information_schema.tables t USING (table_schema, table_name)
      WHERE t.table_type = 'BASE TABLE' AND c.table_schema NOT IN ('pg_catalog', 'information_schema')
        AND c.udt_name IN ('text', 'varchar', 'bpchar', 'name', 'json', 'jsonb', 'bytea', '_text', '_varchar', '_jsonb', 'citext')
      ORDER BY 1, 2, 3`,
    [],
  );
  if (columns.length < 100) throw new Error(`only ${columns.length} columns were found`);
  const places = columns.map(({ schema, table, column }) => {
    // Bytes are read as what they would be in Latin 1, so that text in them is found as well.
    const text = `CASE pg_typeof("${column}") WHEN 'bytea'::regtype THEN encode("${column}"::text::bytea, 'escape') ELSE "${column}"::text END`;
    return `SELECT DISTINCT '${table}.${column}: ' || word AS place FROM "${schema}"."${table}", unnest($1::text[]) AS word
      WHERE ${text} ILIKE '%' || word || '%'`;
  });
  const found = await api.db.sql<{ place: string }>(null, `${places.join(' UNION ALL ')} ORDER BY 1`, [words]);
  return found.map(({ place }) => place);
}

/** The files below a folder that hold one of the words, encoded or not. */
export async function tracesInFiles(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
  const texts = await Promise.all(files.map(async (file) => [file, await readFile(file, 'latin1')] as const));
  const needles = words.flatMap((word) => [
    word.toLowerCase(),
    Buffer.from(word).toString('base64').slice(0, 8).toLowerCase(),
  ]);
  return texts.filter(([, text]) => needles.some((word) => text.toLowerCase().includes(word))).map(([file]) => file);
}
