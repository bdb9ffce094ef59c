import { Client } from 'pg';

/**
 * What a Prisma schema can say about the tables of a database, one line each: enums, columns, keys, indexes, foreign keys. Left
 * out is what it cannot say and migrations add: generated columns, partial and expression indexes, exclusions, checks, triggers.
 */
const query = `
  SELECT format('enum %s: %s', t.typname, string_agg(e.enumlabel, ' ' ORDER BY e.enumsortorder)) AS line
  FROM pg_type t JOIN pg_enum e ON e.enumtypid = t.oid
  WHERE t.typnamespace = 'public'::regnamespace
  GROUP BY t.typname
UNION ALL
  SELECT format('table %s', relname) FROM tables
UNION ALL
  SELECT concat_ws(' ', 'column', relname || '.' || attname, format_type(atttypid, atttypmod),
    CASE WHEN attnotnull THEN 'NOT NULL' END, 'DEFAULT ' || pg_get_expr(adbin, adrelid))
  FROM tables
  JOIN pg_attribute ON attrelid = tables.oid AND attnum > 0 AND NOT attisdropped AND attgenerated = ''
  LEFT JOIN pg_attrdef ON adrelid = attrelid AND adnum = attnum
UNION ALL
  SELECT concat_ws(' ', CASE WHEN indisprimary THEN 'primary key' ELSE 'index' END, pg_get_indexdef(indexrelid))
  FROM tables JOIN pg_index ON indrelid = tables.oid
  WHERE indpred IS NULL AND indexprs IS NULL AND NOT indisexclusion
UNION ALL
  SELECT format('foreign key %s %s: %s', relname, conname, pg_get_constraintdef(pg_constraint.oid))
  FROM tables JOIN pg_constraint ON conrelid = tables.oid AND contype = 'f'
ORDER BY line`;

/** Describes schema `public` of a database, apart from Prisma's own table. */
export async function describeTables(url: string): Promise<string[]> {
  const client = new Client({ connectionString: url });
  await client.connect();
  try {
    const { rows } = await client.query<{ line: string }>(`
      WITH tables AS (
        SELECT oid, relname FROM pg_class
        WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p') AND relname <> '_prisma_migrations'
      ) ${query}`);
    return rows.map(({ line }) => line);
  } finally {
    await client.end();
  }
}
