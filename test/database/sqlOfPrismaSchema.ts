import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import * as bindings from '@prisma/schema-engine-wasm/schema_engine_bg';

interface EngineExports {
  __wbindgen_start(): void;
}

// TypeScript has this only among the browser's types.
declare const WebAssembly: {
  instantiate(bytes: Uint8Array, imports: object): Promise<{ instance: { exports: EngineExports } }>;
};

/**
 * What Prisma would run to make the tables of a schema file in an empty PostgreSQL.
 * @param schema content of a `schema.prisma`
 */
export async function sqlOfPrismaSchema(schema: string): Promise<string> {
  await loadEngine();
  const connect = () => Promise.resolve({ ok: true, value: unconnected });
  const factory = { provider: 'postgres', adapterName: 'none', connect, connectToShadowDb: connect };
  const engine = await bindings.SchemaEngine.new({ datamodels: undefined }, () => undefined, factory);
  const { stdout } = await engine.diff({
    from: { tag: 'empty' },
    to: { tag: 'schemaDatamodel', files: [{ path: 'schema.prisma', content: schema }] },
    script: true,
    exitCode: null,
    filters: { externalTables: [], externalEnums: [] },
  });
  engine.free();
  return stdout ?? '';
}

/** Loaded by hand, as Node 20 does not import WebAssembly the way the package expects. */
async function loadEngine(): Promise<void> {
  const folder = dirname(createRequire(import.meta.url).resolve('@prisma/schema-engine-wasm/schema_engine_bg'));
  const bytes = await readFile(join(folder, 'schema_engine_bg.wasm'));
  const { instance } = await WebAssembly.instantiate(bytes, { './schema_engine_bg.js': bindings });
  (bindings as unknown as { __wbg_set_wasm(exports: EngineExports): void }).__wbg_set_wasm(instance.exports);
  instance.exports.__wbindgen_start();
}

const unused = () => Promise.reject(new Error('the engine has no database here'));

/** Comparing with nothing needs no database, but the engine asks for the version of one when it starts. */
const unconnected = {
  provider: 'postgres',
  adapterName: 'none',
  queryRaw: () =>
    Promise.resolve({
      ok: true,
      // Column types of Prisma's driver adapters: 5 is a boolean, 7 a text, 0 an integer.
      value: {
        columnNames: ['exists', 'version', 'numeric_version'],
        columnTypes: [5, 7, 0],
        rows: [[true, 'PostgreSQL 18.4', 180004]],
      },
    }),
  executeRaw: unused,
  executeScript: unused,
  startTransaction: unused,
  dispose: () => Promise.resolve({ ok: true, value: undefined }),
};
