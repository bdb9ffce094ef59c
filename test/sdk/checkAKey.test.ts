import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeAll, expect, test } from '@jest/globals';
import { useApi } from '../support/api.js';
import { newBusiness, type TestBusiness } from '../support/business.js';
import { attachEntitlement, newProduct, newProductOffering } from '../support/catalog.js';
import { activated, newLicensedKey } from '../support/keys.js';
import { fileOf, keySet, revokedKeys } from '../support/licenseFiles.js';
import { changeLicense } from '../support/licenses.js';
import { usePagePrograms } from '../support/pagePrograms.js';

const api = useApi();
const page = usePagePrograms(api, 'docs/check-a-key.md');
let business: TestBusiness;

beforeAll(async () => {
  business = await newBusiness(api);
});

/** Runs a program of the page with the brand and the key that it leaves open. */
const run = (program: string, key: string, before = '') =>
  page.run(program, { 'shop.example.com': business.brandUrl, 'XXXXX-XXXXX-XXXXX-XXXXX-XXXXX': key }, before);

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
  const { blocks, folder } = page;
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
