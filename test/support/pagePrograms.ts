import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll } from '@jest/globals';
import ts from 'typescript';
import type { Api } from './api.js';

const root = join(import.meta.dirname, '../..');

/** The programs of a page, and a project of its own in which they are run against the server of the test. */
export interface PagePrograms {
  /** The TypeScript blocks of the page, in their order. */
  readonly blocks: readonly string[];
  /** Where programs run. */
  readonly folder: string;
  /**
   * Runs a program in a process of its own, with what it leaves open put in; gives the lines that it printed.
   * @param open what stands in the page, and what takes its place
   * @param before code that runs before the program
   */
  run(program: string, open?: Record<string, string>, before?: string): Promise<string[]>;
}

/** Programs name the SDK by its package, which is found here. */
const imports = { '#sdk': './sdk/index.js' };

/** Lets the server of the test listen, and compiles the SDK beside the programs of a page. Call it after `useApi`. */
export function usePagePrograms(api: Api, page: string): PagePrograms {
  let folder: string;
  let url: string;
  let blocks: string[];

  beforeAll(async () => {
    await api.server.listen({ host: '127.0.0.1', port: 0 });
    url = `http://127.0.0.1:${(api.server.server.address() as AddressInfo).port}/graphql`;
    folder = await mkdtemp(join(tmpdir(), 'latchkey-docs-'));
    // A project of its own that has the SDK installed, compiled as `npm run build:sdk` does.
    await symlink(join(root, 'node_modules'), join(folder, 'node_modules'));
    await compileSdk(join(folder, 'sdk'));
    await writeFile(join(folder, 'package.json'), JSON.stringify({ type: 'module', imports }));
    const text = await readFile(join(root, page), 'utf8');
    blocks = [...text.matchAll(/^```ts\n([\s\S]*?)^```/gm)].map((match) => match[1] as string);
  });
  afterAll(() => rm(folder, { recursive: true }));

  return {
    get blocks() {
      return blocks;
    },
    get folder() {
      return folder;
    },
    run(program, open = {}, before = '') {
      const places = { 'http://127.0.0.1:4000/graphql': url, "'@latchkey/sdk'": "'#sdk'", ...open };
      return runIn(
        folder,
        Object.entries(places).reduce((text, [from, to]) => text.replaceAll(from, to), before + program),
      );
    },
  };
}

async function compileSdk(to: string): Promise<void> {
  const from = join(root, 'sdk/src');
  for (const name of await readdir(from, { recursive: true })) {
    if (!name.endsWith('.ts')) continue;
    await mkdir(dirname(join(to, name)), { recursive: true });
    await writeFile(join(to, name.replace(/ts$/, 'js')), compiled(await readFile(join(from, name), 'utf8')));
  }
}

function compiled(text: string): string {
  return ts.transpile(text, {
    target: ts.ScriptTarget.ES2023,
    module: ts.ModuleKind.ES2022,
    verbatimModuleSyntax: true,
  });
}

async function runIn(folder: string, text: string): Promise<string[]> {
  await writeFile(join(folder, 'program.js'), compiled(text));
  const child = spawn(process.execPath, ['program.js'], {
    cwd: folder,
    env: { PATH: process.env.PATH ?? '' },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let [printed, failed] = ['', ''];
  child.stdout.on('data', (chunk: Buffer) => (printed += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => (failed += chunk.toString()));
  const [code] = (await once(child, 'close')) as [number];
  if (code !== 0) throw new Error(failed);
  return printed.trimEnd().split('\n');
}
