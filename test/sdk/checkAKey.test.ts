import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import ts from 'typescript';
import { useApi } from '../support/api.js';
import { newBusiness, type TestBusiness } from '../support/business.js';
import { attachEntitlement, newProduct, newProductOffering } from '../support/catalog.js';
import { activated, newLicensedKey } from '../support/keys.js';
import { fileOf, keySet, revokedKeys } from '../support/licenseFiles.js';
import { changeLicense } from '../support/licenses.js';

const api = useApi();
const root = join(import.meta.dirname, '../..');
let folder: string;
let url: string;
let business: TestBusiness;
let blocks: string[];

beforeAll(async () => {
  await api.server.listen({ host: '127.0.0.1', port: 0 });
  url = `http://127.0.0.1:${(api.server.server.address() as AddressInfo).port}/graphql`;
  business = await newBusiness(api);
  folder = await mkdtemp(join(tmpdir(), 'latchkey-docs-'));
  // A project of its own that has the SDK installed, compiled as `npm run build:sdk` does.
  await symlink(join(root, 'node_modules'), join(folder, 'node_modules'));
  await compileSdk(join(folder, 'sdk'));
  await writeFile(join(folder, 'package.json'), JSON.stringify({ type: 'module', imports }));
  const page = await readFile(join(root, 'docs/check-a-key.md'), 'utf8');
  blocks = [...page.matchAll(/^```ts\n([\s\S]*?)^```/gm)].map((match) => match[1] as string);
});
afterAll(() => rm(folder, { recursive: true }));

/** The programs name the SDK by its package, which is found here. */
const imports = { '#sdk': './sdk/index.js' };

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

/** Runs a program of the page in a process of its own, with the server, brand and key that it leaves open; gives what it printed. */
async function run(program: string, key: string, before = ''): Promise<string[]> {
  const text = program
    .replaceAll('http://127.0.0.1:4000/graphql', url)
    .replaceAll('shop.example.com', business.brandUrl)
    .replaceAll('XXXXX-XXXXX-XXXXX-XXXXX-XXXXX', key)
    .replaceAll("'@latchkey/sdk'", "'#sdk'");
  await writeFile(join(folder, 'program.js'), compiled(before + text));
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

/** Whoever asks for a network gets a fault that nothing catches. */
const noNetwork = `import { Socket } from 'node:net';
Socket.prototype.connect = () => { process.exit(99); };
globalThis.fetch = (() => process.exit(99)) as never;
`;

/** Checks files as an offline program does, one after the other; prints what came of each. */
const checkAll = `import { readFile } from 'node:fs/promises';
import { verifyLicenseFile } from '@latchkey/sdk';
for (const options of JSON.parse(await readFile('questions.json', 'utf8'))) {
  const { usable, reason } = await verifyLicenseFile(options);
  console.log(usable, reason);
}
`;

test('the programs of the page run as written: online, check-out, and offline with the server stopped', async () => {
  const { live } = business;
  const productId = await newProduct(api, live, { sku: 'STUDIO' });
  const productOfferingId = await newProductOffering(api, live, { productId });
  await attachEntitlement(api, live, { target: { productOfferingId }, licenseKey: { activationsLimit: 1 } });
  const { key, licenseId } = await newLicensedKey(api, live, { productOfferingId });
  const [online, checkOut, offline] = blocks as [string, string, string];
  expect(blocks).toHaveLength(3);
  expect(await run(online, key)).toEqual([
    'The key counts devices, and is not activated on this one. Activate it with `activateLicenseKey`.',
  ]);
  expect(await run(checkOut, key)).toEqual(['']);
  const file = join(folder, 'license.json');
  const kept = JSON.parse(await readFile(file, 'utf8')) as { file: string; jwks: { keys: object[] } };
  expect(JSON.stringify(kept)).not.toContain(key);

  const rotated = await newLicensedKey(api, live, { productOfferingId });
  await activated(api, business, { key: rotated.key, fingerprint: 'machine-id' });
  await api.data({ token: live, query: 'mutation { rotateSigningKey(input: {}) { userErrors { message } } }' });
  const ofNewKey = await fileOf(api, business, { key: rotated.key, fingerprint: 'machine-id' });
  const jwks = await keySet(api, business);
  await changeLicense(api, live, 'cancel', licenseId);
  const { list } = await revokedKeys(api, business);
  await api.server.close();

  const [good, entitlements] = await run(offline, key, noNetwork);
  expect([good, entitlements]).toEqual(['true null The license file is good.', expect.stringMatching(/^\[ '.+' \]$/)]);
  expect(Date.parse(JSON.parse(await readFile(file, 'utf8')).lastSeen)).toBeGreaterThan(Date.now() - 60_000);
  const DAY = 86_400_000;
  const asked = { ...kept, fingerprint: 'machine-id' };
  const questions: [object, string][] = [
    [asked, 'true null'],
    [{ ...asked, jwks }, 'true null'],
    [{ ...asked, jwks, file: ofNewKey }, 'true null'],
    [{ ...asked, file: ofNewKey }, 'false UNKNOWN_KEY'],
    [{ ...asked, file: kept.file.replace(/\.(.{40})./, '.$1x') }, 'false TAMPERED'],
    [{ ...asked, fingerprint: 'another' }, 'false WRONG_DEVICE'],
    [{ ...asked, jwks, revocationList: list }, 'false REVOKED'],
    [{ ...asked, jwks, file: ofNewKey, revocationList: list }, 'true null'],
    [{ ...asked, now: Date.now() + 31 * DAY }, 'true IN_GRACE'],
    [{ ...asked, now: Date.now() + 38 * DAY }, 'false EXPIRED'],
    [{ ...asked, now: Date.now() - DAY }, 'false CLOCK_SET_BACK'],
    [{ ...asked, lastSeen: new Date(Date.now() + DAY).toISOString() }, 'false CLOCK_SET_BACK'],
    [{ ...asked, jwks: { keys: [] } }, 'false UNKNOWN_KEY'],
    [{ ...asked, testMode: true }, 'false WRONG_MODE'],
  ];
  await writeFile(join(folder, 'questions.json'), JSON.stringify(questions.map(([question]) => question)));
  expect(await run(checkAll, key, noNetwork)).toEqual(questions.map(([, answer]) => answer));
});
