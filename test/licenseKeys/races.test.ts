import { expect, test } from '@jest/globals';
import { useApi } from '../support/api.js';
import { newBusiness, newCustomer } from '../support/business.js';
import { attachEntitlement } from '../support/catalog.js';
import { expectInvariants } from '../support/invariants.js';
import { newLicenseKey, newLicenseKeyPool } from '../support/licenseKeys.js';
import { newKeyedOffering, newLicense, rowId } from '../support/licenses.js';
import { newWorld, purchaseInput } from '../support/world.js';
import { callKey, refusals, textOfKey } from './keyCalls.js';

// What different operations on keys do to each other when they come at once; those of one kind stand with the operation.

const api = useApi();

async function send(token: string, mutation: string, input: object, fields = ''): Promise<any> {
  const type = `${mutation[0]?.toUpperCase()}${mutation.slice(1)}Input`;
  const query = `mutation ($input: ${type}!) { ${mutation}(input: $input) { ${fields} userErrors { code path } } }`;
  const answer = await api.call({ token, query, variables: { input } });
  expect(answer.errors).toBeUndefined();
  return answer.data[mutation];
}

test('rotations, updates, readings and switching off and on at once leave one present text and a whole history', async () => {
  const { live } = await newBusiness(api);
  for (let round = 0; round < 2; round++) {
    const licenseId = await newLicense(api, live, { productOfferingId: await newKeyedOffering(api, live) });
    const query = 'query ($id: ID!) { license(id: $id) { licenseKeys { id } } }';
    const { license } = await api.data({ token: live, query, variables: { id: licenseId } });
    const licenseKeyId: string = license.licenseKeys[0].id;
    const times = (count: number, mutation: string, input: object = {}) =>
      Array.from({ length: count }, () => callKey(api, live, mutation, { licenseKeyId, ...input }));
    const answers = await Promise.all([
      ...times(6, 'rotateLicenseKey', { graceUntil: '2099-01-01' }),
      ...times(3, 'disableLicenseKey'),
      ...times(3, 'enableLicenseKey'),
      ...times(3, 'updateLicenseKey', { activationsLimit: round + 1 }),
      ...Array.from({ length: 3 }, async () => ({ userErrors: [], key: await textOfKey(api, live, licenseKeyId) })),
    ]);
    const refused = answers.flatMap(refusals);
    expect(refused).toEqual(Array(refused.length).fill('LICENSE_KEY_DISABLED input.licenseKeyId'));
    const made = 6 - refused.length;
    const [row] = await api.db.sql(
      null,
      `SELECT k.version = (SELECT count(*) FROM changes WHERE object_id = k.id) AS "isWhole",
          (SELECT count(*)::int FROM license_key_rotations r WHERE r.license_key_id = k.id) AS superseded,
          (SELECT count(*)::int FROM license_key_lookups l WHERE l.license_key_id = k.id AND rotation_id IS NULL) AS present,
          (SELECT count(DISTINCT rotation_id)::int FROM license_key_lookups l WHERE l.license_key_id = k.id) AS findable
        FROM license_keys k WHERE k.id = $1`,
      [rowId(licenseKeyId)],
    );
    expect(row).toEqual({ isWhole: true, superseded: made, present: 1, findable: made });
  }
});

test('of an import, issues, a rotation and a pool that want one text at once, one has it, and the others’ rows are done', async () => {
  const { live } = await newBusiness(api);
  const customerId = await newCustomer(api, live);
  const licenseId = await newLicense(api, live, { customerId });
  const licenseKeyPoolId = await newLicenseKeyPool(api, live);
  const licenseKeyId = await newLicenseKey(api, live, { customerId });
  for (let round = 0; round < 3; round++) {
    const keys = Array.from({ length: 6 }, (_, i) => (i === 3 ? `T-${round}` : `F-${round}-${i}`));
    const results = 'results { userErrors { code path } }';
    const answers = await Promise.all([
      send(live, 'importLicenseKeys', { rows: keys.map((key) => ({ key, customerId })) }, results),
      send(live, 'addKeysToPool', { licenseKeyPoolId, rows: [...keys].reverse().map((key) => ({ key })) }, results),
      send(live, 'issueLicenseKey', { licenseId, key: `t${round}` }),
      send(live, 'issueLicenseKey', { licenseId, key: `t ${round}` }),
      send(live, 'rotateLicenseKey', { licenseKeyId, key: `T—${round}` }),
    ]);
    const taken = answers.flatMap((answer) => [answer, ...(answer.results ?? [])]).flatMap(refusals);
    // Of the five that want the one text four are refused, and each other row of one of the two bulks.
    expect(taken.map((refused) => refused.split(' ')[0])).toEqual(Array(4 + 5).fill('LICENSE_KEY_TAKEN'));
  }
});

test('fifty purchases at once of ten keys that are left: ten are sold and paid, forty refused and not charged', async () => {
  const { live } = await newBusiness(api);
  const world = await newWorld(api, live);
  const keys = Array.from({ length: 10 }, (_, i) => `TEN-${i}`);
  const licenseKeyPoolId = await newLicenseKeyPool(api, live, keys);
  await attachEntitlement(api, live, { target: { packageId: world.packageId }, licenseKey: { licenseKeyPoolId } });
  const balance = async () => {
    const text = 'SELECT balance_minor AS "balance" FROM wallets WHERE id = $1';
    return (await api.db.sql<{ balance: bigint }>(null, text, [rowId(world.walletId)]))[0]?.balance ?? 0n;
  };
  const before = await balance();
  const bought = 'licenses { licenseKeys { key source } }';
  const answers = await Promise.all(
    Array.from({ length: 50 }, () => send(live, 'purchaseLicensesByWallet', purchaseInput(world), bought)),
  );
  expect(answers.flatMap(refusals)).toEqual(Array(40).fill('LICENSE_KEY_POOL_EMPTY input'));
  const sold = answers.flatMap(({ licenses }) => licenses ?? []).flatMap(({ licenseKeys }) => licenseKeys);
  const drawn = sold.filter(({ source }) => source === 'POOL').map(({ key }) => key as string);
  expect(drawn.sort()).toEqual([...keys].sort());
  expect(before - (await balance())).toBe(10n * 1_000n);
  await expectInvariants(api.db);
});
