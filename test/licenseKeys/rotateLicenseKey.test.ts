import { expect, test } from '@jest/globals';
import { globalId, newId } from '../../src/kernel/id.js';
import { useApi } from '../support/api.js';
import { newApiKey, newBusiness, newCustomer, newSession } from '../support/business.js';
import { newProduct } from '../support/catalog.js';
import { newLicenseKey } from '../support/licenseKeys.js';
import { changesOf, newKeyedOffering, newLicense, rowsOf } from '../support/licenses.js';
import { callKey, findByText, refusals, textOfKey } from './keyCalls.js';

const api = useApi();
const rotate = (token: string, input: Record<string, unknown>) => callKey(api, token, 'rotateLicenseKey', input);

/** A license with the key that its grant generated. */
async function newGrantedKey(token: string): Promise<{ id: string; licenseId: string; grantId: string }> {
  const customerId = await newCustomer(api, token, { email: 'erika@example.com' });
  const productOfferingId = await newKeyedOffering(api, token, { activationsLimit: 2 });
  const licenseId = await newLicense(api, token, { productOfferingId, customerId });
  const query = 'query ($id: ID!) { license(id: $id) { licenseKeys { id } grants { id } } }';
  const { license } = await api.data({ token, query, variables: { id: licenseId } });
  return { id: license.licenseKeys[0].id, licenseId, grantId: license.grants[0].id };
}

test('the same key has a new text; the one before finds it too and works until its grace ends', async () => {
  const { live } = await newBusiness(api);
  const { id, licenseId, grantId } = await newGrantedKey(live);
  const old = await textOfKey(api, live, id);
  api.setNow('2026-12-01T10:00:00.000Z');
  const graceUntil = '2026-12-08T00:00:00.000Z';
  const { licenseKey, userErrors } = await rotate(live, { licenseKeyId: id, graceUntil, reason: ' Leaked ' });
  expect(userErrors).toEqual([]);
  expect(licenseKey).toMatchObject({
    id,
    source: 'AUTO',
    status: 'ACTIVE',
    activationsLimit: 2,
    graceUntil,
    supersededTexts: [{ last4: old.slice(-4), rotatedAt: '2026-12-01T10:00:00.000Z', graceUntil, isInGrace: true }],
    licenses: [{ id: licenseId }],
    grants: [{ id: grantId, status: 'DELIVERED' }],
    deliveries: [{ template: 'license-key-rotated', status: 'QUEUED', recipient: 'erika@example.com' }],
    version: 3,
  });
  const text = await textOfKey(api, live, id);
  expect(text).not.toBe(old);
  expect(await Promise.all([old, text].map((key) => findByText(api, live, key)))).toEqual([[id], [id]]);
  api.setNow(graceUntil);
  const query = 'query ($id: ID!) { licenseKey(id: $id) { graceUntil supersededTexts { isInGrace } } }';
  expect((await api.data({ token: live, query, variables: { id } })).licenseKey).toEqual({
    graceUntil: null,
    supersededTexts: [{ isInGrace: false }],
  });
  api.setNow(null);
  const change = (await changesOf(api, id)).find(({ type }) => type === 'license_key.rotated');
  expect(change).toMatchObject({
    sequence: 3,
    reason: 'Leaked',
    before: { last4: old.slice(-4), graceUntil: null },
    after: { last4: text.slice(-4), graceUntil },
  });
  expect(JSON.stringify(await changesOf(api, id))).not.toMatch(new RegExp(`${old}|${text}`));
});

test('without a grace the text stops at once, and no key ever gets it again', async () => {
  const { live } = await newBusiness(api);
  const id = await newLicenseKey(api, live, { key: 'OLD-TEXT-1' });
  const { licenseKey } = await rotate(live, { licenseKeyId: id, key: ' New text 2 ' });
  expect(licenseKey).toMatchObject({ source: 'SUPPLIED', last4: 'xt 2', graceUntil: null });
  expect(licenseKey.supersededTexts).toMatchObject([{ last4: 'XT-1', isInGrace: false }]);
  expect(refusals(await rotate(live, { licenseKeyId: id, key: 'old text 1' }))).toEqual([
    'LICENSE_KEY_TAKEN input.key',
  ]);
  const licenseId = await newLicense(api, live);
  const issued = await callKey(api, live, 'issueLicenseKey', { licenseId, key: 'OLDTEXT1' });
  expect(refusals(issued)).toEqual(['LICENSE_KEY_TAKEN input.key']);
});

test('what cannot be rotated is refused and changes nothing', async () => {
  const { live } = await newBusiness(api);
  await newProduct(api, live, { keyPattern: { prefix: 'RSVD' } });
  const licenseKeyId = await newLicenseKey(api, live, { key: 'HERE-1' });
  const disabled = await newLicenseKey(api, live);
  await callKey(api, live, 'disableLicenseKey', { licenseKeyId: disabled });
  const before = await rowsOf(api);
  const cases: [Record<string, unknown>, string[]][] = [
    [{ licenseKeyId, key: '—' }, ['KEY_BLANK input.key']],
    [
      { licenseKeyId, graceUntil: '2020-01-01', reason: 'x'.repeat(2001) },
      ['INVALID_EXPIRY input.graceUntil', 'INVALID_INPUT input.reason'],
    ],
    [{ licenseKeyId, key: 'here 1' }, ['LICENSE_KEY_TAKEN input.key']],
    [{ licenseKeyId, key: 'RSVD-1' }, ['RESERVED_KEY_PREFIX input.key']],
    [{ licenseKeyId, expectedVersion: 7 }, ['STALE_OBJECT input.expectedVersion']],
    [{ licenseKeyId: disabled }, ['LICENSE_KEY_DISABLED input.licenseKeyId']],
    [{ licenseKeyId: globalId('LicenseKey', newId()) }, ['LICENSE_KEY_NOT_FOUND input.licenseKeyId']],
  ];
  for (const [input, expected] of cases) expect(refusals(await rotate(live, input))).toEqual(expected);
  expect(await rowsOf(api)).toBe(before);
});

test('of twelve rotations at once that expect one version one is made; without, all are, one after the other', async () => {
  const { live } = await newBusiness(api);
  const id = await newLicenseKey(api, live);
  const once = await Promise.all(
    Array.from({ length: 12 }, () => rotate(live, { licenseKeyId: id, expectedVersion: 1 })),
  );
  expect(once.flatMap(refusals)).toEqual(Array(11).fill('STALE_OBJECT input.expectedVersion'));
  const all = await Promise.all(
    Array.from({ length: 12 }, () => rotate(live, { licenseKeyId: id, graceUntil: '2099-01-01' })),
  );
  expect(all.flatMap(refusals)).toEqual([]);
  const query = 'query ($id: ID!) { licenseKey(id: $id) { version supersededTexts { isInGrace } } }';
  const { licenseKey } = await api.data({ token: live, query, variables: { id } });
  expect([licenseKey.version, licenseKey.supersededTexts.length]).toEqual([14, 13]);
  expect(await findByText(api, live, await textOfKey(api, live, id))).toEqual([id]);
});

test('two keys that are rotated to one text at once do not both get it', async () => {
  const { live } = await newBusiness(api);
  const ids = [await newLicenseKey(api, live), await newLicenseKey(api, live)];
  const answers = await Promise.all(
    Array.from({ length: 10 }, (_, i) => rotate(live, { licenseKeyId: ids[i % 2], key: 'ONE-TEXT' })),
  );
  expect(answers.flatMap(refusals)).toEqual(Array(9).fill('LICENSE_KEY_TAKEN input.key'));
  expect(await findByText(api, live, 'ONE-TEXT')).toHaveLength(1);
});

test('not another tenant’s, not the other mode’s, not without the scope, not by a session', async () => {
  const [mine, theirs] = [await newBusiness(api), await newBusiness(api)];
  const customerId = await newCustomer(api, mine.live);
  const licenseKeyId = await newLicenseKey(api, mine.live, { customerId });
  const input = { licenseKeyId };
  expect(refusals(await rotate(theirs.live, input))).toEqual(['LICENSE_KEY_NOT_FOUND input.licenseKeyId']);
  expect(refusals(await rotate(mine.test, input))).toEqual(['MODE_MISMATCH input.licenseKeyId']);
  const query = 'mutation ($input: RotateLicenseKeyInput!) { rotateLicenseKey(input: $input) { userErrors { code } } }';
  for (const token of [
    await newApiKey(api, mine.live, ['LICENSE_KEYS_READ']),
    await newSession(api, mine.live, customerId),
  ]) {
    const answer = await api.call({ token, query, variables: { input } });
    expect(answer.errors?.map(({ extensions }) => extensions.code)).toEqual(['FORBIDDEN']);
  }
});

test('a repeated rotation under one idempotency key has one effect', async () => {
  const { live } = await newBusiness(api);
  const id = await newLicenseKey(api, live);
  const input = { licenseKeyId: id, idempotencyKey: 'rotate-once' };
  const answers = await Promise.all(Array.from({ length: 6 }, () => rotate(live, input)));
  expect(new Set(answers.map(({ licenseKey }) => licenseKey.last4)).size).toBe(1);
  expect(answers[0].licenseKey.supersededTexts).toHaveLength(1);
});
