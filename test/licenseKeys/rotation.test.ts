import { expect, test } from '@jest/globals';
import { hmacOf } from '../../src/kernel/secret.js';
import { useApi } from '../support/api.js';
import { newBusiness } from '../support/business.js';
import { newPendingGrant, rowId } from '../support/licenses.js';

const secrets = { new: Buffer.alloc(32, 7), old: Buffer.alloc(32, 8) };
const list = Object.entries(secrets).map(([id, secret]) => `${id}:${secret.toString('base64')}`);
const api = useApi({ LATCHKEY_HMAC_KEYS: list.join(',') });

test('a key stored under the secret that is being rotated out is taken all the same', async () => {
  const business = await newBusiness(api);
  const fulfill = async (key: string) => {
    const grantId = await newPendingGrant(api, business.live);
    const query = `mutation ($input: FulfillLicenseKeyGrantInput!) { fulfillLicenseKeyGrant(input: $input) {
      grant { licenseKey { id } } userErrors { code path } } }`;
    const { data } = await api.call({ token: business.live, query, variables: { input: { grantId, key } } });
    return data.fulfillLicenseKeyGrant;
  };
  const { grant } = await fulfill('OLD-KEY-1');
  const [row] = await api.db.sql<{ id: string }>(null, 'SELECT hmac_key_id AS id FROM license_keys', []);
  expect(row).toEqual({ id: 'new' });
  await api.db.sql(null, `UPDATE license_keys SET key_hmac = $2, hmac_key_id = 'old' WHERE id = $1`, [
    rowId(grant.licenseKey.id),
    hmacOf(secrets.old, rowId(business.id), 'LIVE', 'OLDKEY1'),
  ]);
  expect(await fulfill('old key 1')).toEqual({
    grant: null,
    userErrors: [{ code: 'LICENSE_KEY_TAKEN', path: ['input', 'key'] }],
  });
  expect((await fulfill('OLD-KEY-2')).userErrors).toEqual([]);
});
