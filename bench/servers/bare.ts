import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import ts from 'typescript';
import { columnsOf } from '../../src/kernel/rows.js';
import { accessStatement } from '../../src/access/accessStatement.js';
import { countByText } from '../../src/usage/countStatement.js';
import { factsOfOne } from '../../src/validation/statement.js';
import { hmacSecret } from '../loadWorld.js';
import { startNode, type BenchServer } from './server.js';

/** The reads in Latchkey's own words: all of a row's columns, by the same conditions. */
export const reads = {
  licenses: `SELECT ${columnsOf('License', 't')} FROM licenses t WHERE t.business_id = $1 AND t.mode = $2 AND t.id = ANY($3::uuid[])`,
  page: `SELECT ${columnsOf('License', 't')} FROM licenses t WHERE t.business_id = $1 AND t.mode = $2 AND t.created_at < $3
    ORDER BY t.created_at DESC, t.id DESC LIMIT 51`,
  customers: `SELECT ${columnsOf('Customer', 't')} FROM customers t WHERE t.business_id = $1 AND t.mode = $2 AND t.id = ANY($3::uuid[])`,
  facts: factsOfOne,
  access: accessStatement,
  count: countByText,
  offerings: `SELECT ${columnsOf('ProductOffering', 't')} FROM product_offerings t WHERE t.business_id = $1 AND t.id = ANY($2::uuid[])`,
};

/** The measure: what anybody would need at least to answer the same from the same tables. */
export const bare: BenchServer = {
  name: 'bare',
  start: (options) =>
    startNode(compiled('bareServer'), '/ready', options, {
      DATABASE_URL: options.databaseUrl,
      PORT: String(options.port),
      READS: JSON.stringify(reads),
      HMAC_SECRET: hmacSecret.toString('base64'),
    }),
  request: (operation, { cursor, ...variables }) => {
    // No two licenses of the world were made at the same moment, so where a row stands is when it was made.
    const before = (cursor as { createdAt: Date } | undefined)?.createdAt ?? '9999-01-01';
    const isPage = operation === 'firstPage' || operation === 'deepPage';
    return isPage ? { path: '/page', body: { before } } : { path: `/${operation}`, body: variables };
  },
};

/** Beside the production build, so that the server's process is plain node, as Latchkey's is. */
function compiled(name: string): string {
  const source = readFileSync(new URL(`../${name}.ts`, import.meta.url), 'utf8');
  const { module, target } = { module: ts.ModuleKind.ESNext, target: ts.ScriptTarget.ES2023 };
  const { outputText } = ts.transpileModule(source, { compilerOptions: { module, target } });
  mkdirSync('dist/bench', { recursive: true });
  const file = `dist/bench/${name}.js`;
  writeFileSync(file, outputText);
  return file;
}
