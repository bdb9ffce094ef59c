import { expect, test } from '@jest/globals';
import { useApi } from '../support/api.js';
import { newApiKey, newBusiness, newCustomer, newSession } from '../support/business.js';
import { newProduct } from '../support/catalog.js';
import { countWrites } from '../support/countWrites.js';
import { newLicenseKey } from '../support/licenseKeys.js';
import { changesOf, newLicense, rowsOf } from '../support/licenses.js';
import { findByText, refusals, textOfKey } from './keyCalls.js';

const api = useApi();

const query = `mutation ($input: ImportLicenseKeysInput!) { importLicenseKeys(input: $input) {
  results { index licenseKey { id last4 source status customer { id } licenses { id } activationsLimit expiresAt metadata deliveries { id } version }
    userErrors { code path } }
  userErrors { code path } } }`;

async function importKeys(
  token: string,
  rows: object[],
  more: object = {},
  headers: Record<string, string> = {},
): Promise<any> {
  const answer = await api.call({ token, query, variables: { input: { rows, ...more } }, headers });
  expect(answer.errors).toBeUndefined();
  return answer.data.importLicenseKeys;
}

const codesOf = (results: any[]) => results.map(({ userErrors }) => userErrors.map(({ code }: any) => code).join());

test('each row becomes a key of the customer that it names by any of its names, on its license, and nobody is mailed', async () => {
  const { live } = await newBusiness(api);
  const customerId = await newCustomer(api, live, { code: 'C-1', externalId: 'X-1', email: 'erika@example.com' });
  const licenseId = await newLicense(api, live, { customerId });
  const { results, userErrors } = await importKeys(live, [
    { key: ' AAAA-1111 ', customerId, activationsLimit: 2, expiresAt: '2020-01-01', metadata: { from: 'old shop' } },
    { key: 'BBBB-2222', customerCode: 'C-1' },
    { key: 'CCCC-3333', customerExternalId: 'X-1', licenseId },
    { key: 'DDDD-4444', licenseId },
  ]);
  expect(userErrors).toEqual([]);
  const common = { source: 'IMPORTED', status: 'ACTIVE', customer: { id: customerId }, deliveries: [], version: 1 };
  const plain = { ...common, activationsLimit: null, expiresAt: null, metadata: {}, licenses: [] };
  const id = expect.stringMatching(/^lkey_/);
  expect(results).toEqual([
    {
      index: 0,
      licenseKey: {
        ...plain,
        id,
        last4: '1111',
        activationsLimit: 2,
        expiresAt: '2020-01-01T00:00:00.000Z',
        metadata: { from: 'old shop' },
      },
      userErrors: [],
    },
    { index: 1, licenseKey: { ...plain, id, last4: '2222' }, userErrors: [] },
    { index: 2, licenseKey: { ...plain, id, last4: '3333', licenses: [{ id: licenseId }] }, userErrors: [] },
    { index: 3, licenseKey: { ...plain, id, last4: '4444', licenses: [{ id: licenseId }] }, userErrors: [] },
  ]);
  expect(await textOfKey(api, live, results[0].licenseKey.id)).toBe('AAAA-1111');
  expect(await findByText(api, live, 'dddd 4444')).toEqual([results[3].licenseKey.id]);
  expect((await changesOf(api, results[1].licenseKey.id)).map(({ type }) => type)).toEqual(['license_key.created']);
});

test('each row has its own refusal; the others are done, or with ALL_OR_NOTHING none is', async () => {
  const business = await newBusiness(api);
  const { live } = business;
  const [customerId, testId] = [await newCustomer(api, live), await newCustomer(api, business.test)];
  await newProduct(api, live, { keyPattern: { prefix: 'RSVD' } });
  await newLicenseKey(api, live, { key: 'KNOWN-1', customerId });
  const otherLicense = await newLicense(api, live);
  const rows = [
    { key: 'fine-1', customerId },
    { key: '--', customerId },
    { key: 'known 1', customerId },
    { key: 'FINE1', customerId },
    { key: 'rsvd-9', customerId },
    { key: 'a-2', customerId: 'cus_nonsense' },
    { key: 'a-3', customerId: testId },
    { key: 'a-4', customerId, licenseId: otherLicense },
    { key: 'a-5' },
    { key: 'a-6', customerId, customerCode: 'x', activationsLimit: 0 },
    { key: 'a-7', customerCode: 'nobody' },
    { key: 'a-8', licenseId: 'lic_nonsense' },
    { key: 'fine-2', customerId },
  ];
  const expected = [
    '',
    'KEY_BLANK',
    'LICENSE_KEY_TAKEN',
    'LICENSE_KEY_TAKEN',
    'RESERVED_KEY_PREFIX',
    'CUSTOMER_NOT_FOUND',
    'MODE_MISMATCH',
    'INVALID_INPUT',
    'INVALID_INPUT',
    'INVALID_ACTIVATIONS_LIMIT,INVALID_INPUT',
    'CUSTOMER_NOT_FOUND',
    'LICENSE_NOT_FOUND',
    '',
  ];
  const before = await rowsOf(api);
  const refused = await importKeys(live, rows, { onError: 'ALL_OR_NOTHING' });
  expect(refused.results).toBeNull();
  expect(refused.userErrors).toHaveLength(12);
  expect(refusals(refused)[1]).toBe('LICENSE_KEY_TAKEN input.rows.2.key');
  expect(await rowsOf(api)).toBe(before);
  const { results, userErrors } = await importKeys(live, rows);
  expect([codesOf(results), userErrors]).toEqual([expected, []]);
  expect(results.map(({ licenseKey }: any) => licenseKey !== null)).toEqual(expected.map((code) => code === ''));
  expect(refusals(await importKeys(live, []))).toEqual(['INVALID_INPUT input.rows']);
});

test('a thousand keys are imported in one call, and not one more', async () => {
  const { live } = await newBusiness(api);
  const customerId = await newCustomer(api, live);
  const rows = Array.from({ length: 1000 }, (_, i) => ({ key: `BULK-${i}`, customerId }));
  const answer = await api.call({
    token: live,
    query:
      'mutation ($input: ImportLicenseKeysInput!) { importLicenseKeys(input: $input) { results { index userErrors { code } } userErrors { code } } }',
    variables: { input: { rows } },
  });
  expect(answer.errors).toBeUndefined();
  expect(answer.data.importLicenseKeys.results).toEqual(rows.map((_, index) => ({ index, userErrors: [] })));
  const [row] = await api.db.sql<{ keys: number; texts: number }>(
    null,
    'SELECT (SELECT count(*)::int FROM license_keys WHERE customer_id = c.id) AS keys, (SELECT count(*)::int FROM license_key_lookups l JOIN license_keys k ON k.id = l.license_key_id WHERE k.customer_id = c.id) AS texts FROM customers c WHERE number = (SELECT number FROM customers ORDER BY created_at DESC LIMIT 1)',
    [],
  );
  expect(row).toEqual({ keys: 1000, texts: 1000 });
  const more = await api.call({ token: live, query, variables: { input: { rows: [...rows, ...rows.slice(0, 1)] } } });
  expect(more.errors?.[0]?.extensions.code).toBe('BAD_USER_INPUT');
});

test('an import takes as many statements for two hundred rows as for ten, whatever becomes of them', async () => {
  const { live } = await newBusiness(api);
  const customerId = await newCustomer(api, live, { code: 'MANY' });
  const licenseId = await newLicense(api, live, { customerId });
  await newLicenseKey(api, live, { key: 'KNOWN-1', customerId });
  const rowsFor = (count: number) =>
    Array.from({ length: count }, (_, i) => {
      const names = [{ customerId }, { customerCode: 'MANY' }, { licenseId }, { customerId, licenseId }][i % 4];
      return { key: i % 5 === 4 ? 'known 1' : `MANY-${count}-${i}`, ...names, metadata: { row: i } };
    });
  const counts: number[] = [];
  for (const count of [10, 200]) {
    const input = { rows: rowsFor(count) };
    const brief =
      'mutation ($input: ImportLicenseKeysInput!) { importLicenseKeys(input: $input) { results { userErrors { code } } } }';
    counts.push(
      await countWrites(api, async () => {
        const { importLicenseKeys } = await api.data({ token: live, query: brief, variables: { input } });
        expect(codesOf(importLicenseKeys.results).filter((code) => code === '')).toHaveLength((count * 4) / 5);
      }),
    );
  }
  // Begin, customers, licenses, the business, patterns, texts, all rows at once, commit.
  expect(counts).toEqual([8, 8]);
});

test('of imports of the same keys at once, in whatever order, each key is one import’s', async () => {
  const { live } = await newBusiness(api);
  const customerId = await newCustomer(api, live);
  for (let round = 0; round < 3; round++) {
    const rows = Array.from({ length: 40 }, (_, i) => ({ key: `RACE-${round}-${i}`, customerId }));
    const answers = await Promise.all(
      Array.from({ length: 8 }, (_, i) => importKeys(live, i % 2 ? rows : [...rows].reverse())),
    );
    const results = answers.flatMap((answer) => answer.results);
    expect(results.filter(({ licenseKey }) => licenseKey)).toHaveLength(40);
    const refused = results.filter(({ licenseKey }) => !licenseKey);
    expect(new Set(codesOf(refused))).toEqual(new Set(['LICENSE_KEY_TAKEN']));
    expect(refused).toHaveLength(7 * 40);
  }
  const all = await Promise.all(
    Array.from({ length: 6 }, () =>
      importKeys(
        live,
        [
          { key: 'ALL-1', customerId },
          { key: 'ALL-2', customerId },
        ],
        { onError: 'ALL_OR_NOTHING' },
      ),
    ),
  );
  expect(all.filter(({ results }) => results !== null)).toHaveLength(1);
});

test('a repeated import under one idempotency key has one effect and the same results', async () => {
  const { live } = await newBusiness(api);
  const customerId = await newCustomer(api, live);
  const rows = [
    { key: 'ONCE-1', customerId },
    { key: '-', customerId },
  ];
  const [one, two] = [
    await importKeys(live, rows, { idempotencyKey: 'i' }),
    await importKeys(live, rows, { idempotencyKey: 'i' }),
  ];
  expect(two).toEqual(one);
});

test('not into another brand, not another tenant’s customer, not without the scope, not by a session', async () => {
  const [mine, theirs] = [await newBusiness(api), await newBusiness(api)];
  const customerId = await newCustomer(api, theirs.live);
  expect(codesOf((await importKeys(mine.live, [{ key: 'n-1', customerId }])).results)).toEqual(['CUSTOMER_NOT_FOUND']);
  const { createBrand } = await api.data({
    token: theirs.live,
    query:
      'mutation ($input: CreateBrandInput!) { createBrand(input: $input) { brand { url } userErrors { message } } }',
    variables: { input: { name: 'Second', url: `second-${theirs.brandUrl}` } },
  });
  const headers = { 'brand-url': createBrand.brand.url };
  expect(codesOf((await importKeys(theirs.live, [{ key: 'n-2', customerId }], {}, headers)).results)).toEqual([
    'BRAND_MISMATCH',
  ]);
  for (const token of [
    await newApiKey(api, theirs.live, ['LICENSE_KEYS_READ']),
    await newSession(api, theirs.live, customerId),
  ]) {
    const answer = await api.call({ token, query, variables: { input: { rows: [{ key: 'n-3', customerId }] } } });
    expect(answer.errors?.map(({ extensions }) => extensions.code)).toEqual(['FORBIDDEN']);
  }
});
