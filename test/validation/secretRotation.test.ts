import { expect, test } from '@jest/globals';
import { hmacOf } from '../../src/kernel/secret.js';
import { useApi } from '../support/api.js';
import { newBusiness } from '../support/business.js';
import { activated, codesOf, newLicensedKey } from '../support/keys.js';
import { rowId } from '../support/licenses.js';

const secrets = { new: Buffer.alloc(32, 7), old: Buffer.alloc(32, 8) };
const list = Object.entries(secrets).map(([id, secret]) => `${id}:${secret.toString('base64')}`);
const api = useApi({ LATCHKEY_HMAC_KEYS: list.join(',') });

test('while secrets are rotated a key is found under either of them, and once under both', async () => {
  const business = await newBusiness(api);
  const { key, licenseKeyId } = await newLicensedKey(api, business.live);
  expect(await codesOf(api, business, { key })).toEqual([]);
  for (const id of ['new', 'old'] as const) {
    await api.db.sql(null, 'DELETE FROM license_key_lookups WHERE license_key_id = $1', [rowId(licenseKeyId)]);
    const keyHmac = hmacOf(secrets[id], rowId(business.id), 'LIVE', key.replaceAll('-', ''));
    await api.db.sql(
      null,
      `INSERT INTO license_key_lookups (business_id, mode, key_hmac, hmac_key_id, license_key_id) VALUES ($1, 'LIVE', $2, $3, $4)`,
      [rowId(business.id), keyHmac, id, rowId(licenseKeyId)],
    );
    expect([id, await codesOf(api, business, { key })]).toEqual([id, []]);
    expect((await activated(api, business, { key, fingerprint: id })).fingerprint).toBe(id);
  }
  expect(await codesOf(api, business, { key: `${key}X` })).toEqual(['KEY_NOT_FOUND']);
});
