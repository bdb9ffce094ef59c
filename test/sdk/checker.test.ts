import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import ts from 'typescript';
import * as sdk from '../../sdk/src/index.js';
import { useApi } from '../support/api.js';
import { newBusiness, type TestBusiness } from '../support/business.js';
import { attachEntitlement, newProduct, newProductOffering } from '../support/catalog.js';
import { newLicensedKey, type TestKey } from '../support/keys.js';

const { createChecker, fileStore, UserErrorsError } = sdk;
const api = useApi();
let url: string;
let folder: string;
let business: TestBusiness;

beforeAll(async () => {
  await api.server.listen({ host: '127.0.0.1', port: 0 });
  url = `http://127.0.0.1:${(api.server.server.address() as AddressInfo).port}/graphql`;
  folder = await mkdtemp(join(tmpdir(), 'latchkey-checker-'));
  business = await newBusiness(api);
});
afterAll(() => rm(folder, { recursive: true }));

const HOUR = 3_600_000;
let files = 0;
const newFile = () => join(folder, `license-${++files}.json`);

/** A program on a device: its clock and its network can be set. */
function program(key: TestKey, fields: Partial<sdk.CheckerOptions> = {}) {
  const state = { now: Date.now(), isOnline: true, asked: 0 };
  const fetch: typeof globalThis.fetch = (...given) => {
    state.asked++;
    return state.isOnline ? globalThis.fetch(...given) : Promise.reject(new TypeError('fetch failed'));
  };
  const base = { url, brandUrl: business.brandUrl, key: key.key, fingerprint: 'mine', fetch, now: () => state.now };
  return { state, checker: createChecker({ ...base, ...fields }) };
}

const licensed = (activationsLimit: number | null = null) =>
  newLicensedKey(api, business.live, { licenseKey: { activationsLimit } });

const stop = ({ licenseId }: TestKey) =>
  api.data({
    token: business.live,
    query: 'mutation ($input: PauseLicenseInput!) { pauseLicense(input: $input) { userErrors { message } } }',
    variables: { input: { licenseId } },
  });

test('the program of the README runs as written', async () => {
  const readme = await readFile(join(import.meta.dirname, '../../sdk/README.md'), 'utf8');
  const block = [...readme.matchAll(/^```ts\n([\s\S]*?)^```/gm)]
    .map(([, text]) => text!)
    .find((text) => text.includes('createChecker'));
  const productId = await newProduct(api, business.live, { sku: 'STUDIO' });
  const productOfferingId = await newProductOffering(api, business.live, { productId });
  await attachEntitlement(api, business.live, { target: { productOfferingId }, licenseKey: { activationsLimit: 1 } });
  await api.data({
    token: business.live,
    query: `mutation ($input: CreateProductVersionInput!) { createProductVersion(input: $input) { userErrors { message } } }`,
    variables: { input: { productId, name: '2.4.1' } },
  });
  await api.db.sql(null, 'UPDATE product_versions SET published_at = created_at', []);
  const { key } = await newLicensedKey(api, business.live, { productOfferingId });
  const file = newFile();
  const program = block!
    .replace(/^import .*\n/m, '')
    .replace('http://127.0.0.1:4000/graphql', url)
    .replace('shop.example.com', business.brandUrl)
    .replace('XXXXX-XXXXX-XXXXX-XXXXX-XXXXX', key)
    .replace('license.json', file);
  const body = `return (async () => { ${ts.transpile(program, { target: ts.ScriptTarget.ES2023 })}; return license; })();`;
  // eslint-disable-next-line @typescript-eslint/no-implied-eval -- what readers are told to write is what is run
  const run = new Function('createChecker', 'fileStore', 'console', body) as (
    ...given: unknown[]
  ) => Promise<sdk.CheckResult>;
  const told: string[] = [];
  const license = await run(createChecker, fileStore, { error: (text: string) => told.push(text) });
  expect([license.usable, license.source, license.checks, told]).toEqual([true, 'SERVER', [], []]);
  expect(license.validation?.activation).toMatchObject({ name: 'Laptop', status: 'ACTIVE' });
  expect(await readFile(file, 'utf8')).not.toContain(key);
});

test('a good answer is believed for its time, across runs of the program; then the server is asked again', async () => {
  const key = await licensed();
  const store = fileStore(newFile());
  const first = program(key, { store });
  expect((await first.checker.check()).source).toBe('SERVER');
  await stop(key);
  const second = program(key, { store });
  expect(await second.checker.check()).toMatchObject({ source: 'CACHE', usable: true });
  expect(second.state.asked).toBe(0);
  second.state.now += HOUR;
  const fresh = await second.checker.check();
  expect([fresh.source, fresh.usable, fresh.checks.map(({ code }) => code)]).toEqual([
    'SERVER',
    false,
    ['LICENSE_PAUSED'],
  ]);
  // What was refused is not believed for a moment.
  expect([(await second.checker.check()).source, second.state.asked]).toEqual(['SERVER', 2]);
});

test('while the server is away a good answer counts until the grace ends; a bad one, or none, does not', async () => {
  const key = await licensed();
  const { state, checker } = program(key, { graceSeconds: 10 * 3_600 });
  state.isOnline = false;
  const nothing = await checker.check();
  expect([nothing.usable, nothing.source, nothing.failure?.code]).toEqual([false, 'NONE', 'NETWORK']);
  state.isOnline = true;
  await checker.check();
  state.isOnline = false;
  state.now += 9 * HOUR;
  expect(await checker.check()).toMatchObject({ usable: true, source: 'GRACE', failure: { code: 'NETWORK' } });
  state.now += HOUR;
  expect(await checker.check()).toMatchObject({ usable: false, source: 'NONE' });
  state.isOnline = true;
  await stop(key);
  expect((await checker.check()).usable).toBe(false);
  state.isOnline = false;
  expect(await checker.check()).toMatchObject({ usable: false, source: 'NONE' });
});

test('a kept answer ends with the key and with the lease, and does not outlive a clock that is set back', async () => {
  const key = await licensed(1);
  await api.db.sql(null, 'UPDATE licenses SET valid_until = $1 WHERE valid_until IS NULL', [
    new Date(Date.now() + 100 * HOUR),
  ]);
  const { state, checker } = program(key);
  await checker.activate({ leaseSeconds: 2 * 3_600 });
  expect((await checker.check()).usable).toBe(true);
  state.isOnline = false;
  state.now += 1.5 * HOUR;
  expect((await checker.check()).source).toBe('GRACE');
  state.now += HOUR;
  expect((await checker.check()).source).toBe('NONE');
  state.now -= 3 * HOUR;
  expect((await checker.check()).source).toBe('NONE');
  // Nor is it believed at a time that was right once: the clock has shown a later one since.
  state.now += 1.5 * HOUR;
  expect((await checker.check()).source).toBe('NONE');
  const permanent = program(key);
  await permanent.checker.deactivate();
  await permanent.checker.activate();
  expect((await permanent.checker.check()).usable).toBe(true);
  permanent.state.isOnline = false;
  permanent.state.now += 99 * HOUR;
  expect((await permanent.checker.check()).source).toBe('GRACE');
  permanent.state.now += HOUR;
  expect((await permanent.checker.check()).source).toBe('NONE');
});

test('a kept answer to another question, or a file that cannot be read, does not count', async () => {
  const [one, two] = [await licensed(), await licensed()];
  const file = newFile();
  await program(one, { store: fileStore(file) }).checker.check();
  for (const other of [
    program(two, { store: fileStore(file) }),
    program(one, { store: fileStore(file), fingerprint: 'other' }),
  ]) {
    other.state.isOnline = false;
    expect((await other.checker.check()).source).toBe('NONE');
  }
  await writeFile(file, '{ broken');
  const broken = program(one, { store: fileStore(file) });
  broken.state.isOnline = false;
  expect((await broken.checker.check()).source).toBe('NONE');
});

test('checks at once share a file, and an answer that cannot be kept counts all the same', async () => {
  const key = await licensed();
  const both = program(key, { store: fileStore(newFile()), refreshSeconds: 0 }).checker;
  const answers = await Promise.all(Array.from({ length: 8 }, () => both.check()));
  expect(answers.map(({ source, usable }) => [source, usable])).toEqual(answers.map(() => ['SERVER', true]));
  const nowhere = program(key, { store: fileStore(join(folder, 'missing', 'license.json')) });
  expect(await nowhere.checker.check()).toMatchObject({ source: 'SERVER', usable: true });
});

test('seats: activate, heartbeat and deactivate say why they are refused; a question that is wrong throws', async () => {
  const key = await licensed(1);
  const [one, two] = [program(key), program(key, { fingerprint: 'other' })];
  expect((await one.checker.activate({ name: 'One', leaseSeconds: 60 })).name).toBe('One');
  expect((await one.checker.heartbeat()).status).toBe('ACTIVE');
  const refused = await two.checker.activate().catch((error: unknown) => error);
  expect(refused).toBeInstanceOf(UserErrorsError);
  expect((refused as sdk.UserErrorsError).userErrors).toEqual([
    expect.objectContaining({ __typename: 'ActivationLimitReached', limit: 1 }),
  ]);
  expect((await one.checker.deactivate()).status).toBe('DEACTIVATED');
  await expect(one.checker.heartbeat()).rejects.toMatchObject({
    userErrors: [{ code: 'ACTIVATION_ENDED', activationStatus: 'DEACTIVATED' }],
  });
  expect((await two.checker.activate()).status).toBe('ACTIVE');
  await expect(program(key, { brandUrl: 'nobody.example.com' }).checker.check()).rejects.toMatchObject({
    code: 'BRAND_NOT_FOUND',
  });
});
