import { expect, test } from '@jest/globals';
import { newId } from '../../src/kernel/id.js';
import { useApi } from '../support/api.js';
import { newBusiness, newCustomer } from '../support/business.js';
import { attachEntitlement, newPackage, newPackagePrice, newProduct, newSubscriptionType } from '../support/catalog.js';
import { expectInvariants } from '../support/invariants.js';
import { newLicenseKey } from '../support/licenseKeys.js';
import { newKeyedOffering, newLicense, newPendingGrant, rowId } from '../support/licenses.js';
import { creditWallet, newWallet } from '../support/wallets.js';
import { purchaseInput } from '../support/world.js';
import { person, tracesInDatabase } from './traces.js';

const api = useApi();
const rounds = process.env.DEEP ? 150 : 15;

/** Runs a mutation; gives its refusals' codes, and fails on any fault. */
async function codesOf(token: string, name: string, input: object): Promise<string[]> {
  const type = `${name[0]?.toUpperCase()}${name.slice(1)}Input`;
  const query = `mutation ($input: ${type}!) { ${name}(input: $input) { userErrors { code } } }`;
  const answer = await api.call({ token, query, variables: { input } });
  if (answer.errors) throw new Error(`${name}: ${JSON.stringify(answer.errors)}`);
  return answer.data[name].userErrors.map((error: { code: string }) => error.code);
}

test('whatever runs while a person is erased, nothing of the person is left after', async () => {
  const { live } = await newBusiness(api);
  const primaryProductId = await newProduct(api, live);
  await attachEntitlement(api, live, { target: { productId: primaryProductId } });
  const packageId = await newPackage(api, live, { primaryProductId });
  const subscriptionTypeId = await newSubscriptionType(api, live);
  await newPackagePrice(api, live, { packageId, subscriptionTypeId });
  const offering = await newKeyedOffering(api, live);
  const serviceId = await newProduct(api, live, { serviceUrl: 'https://studio.example.com' });
  const { entitlements } = await api.data({ token: live, query: '{ entitlements(first: 1) { nodes { id } } }' });
  const outcomes = new Map<string, Set<string>>();
  for (let round = 0; round < rounds; round++) {
    const customerId = await newCustomer(api, live, person);
    const walletId = await newWallet(api, live, { customerId });
    await creditWallet(api, live, walletId, '50');
    const licenseId = await newLicense(api, live, { customerId, productOfferingId: offering });
    const grantId = await newPendingGrant(api, live, { customerId });
    const licenseKeyId = await newLicenseKey(api, live, { customerId });
    const shop = { walletId, packageId, subscriptionTypeId, customerId };
    const work: [name: string, input: object][] = [
      ['purchaseLicensesByWallet', purchaseInput(shop, { quantity: 3, description: 'for Zyxwina', tags: ['zyxnote'] })],
      ['purchaseLicensesByWallet', purchaseInput(shop)],
      ['updateCustomer', { customerId, firstName: 'Zyxwina', metadata: { more: 'zyxnote' } }],
      ['createLicense', { customerId, productOfferingId: offering, metadata: { who: 'Zyxwina' } }],
      [
        'createLicense',
        { customerId, productOfferingId: offering, assignedTo: { type: 'P', id: `zyx-0815 ${round}` } },
      ],
      ['issueGrant', { customerId, entitlementId: entitlements.nodes[0].id, metadata: { zyxnote: 1 } }],
      ['issueCustomerSession', { customerId }],
      ['issueLoginToken', { customerId, productId: serviceId }],
      ['fulfillLicenseKeyGrant', { grantId, key: `KEY-${round}` }],
      ['pauseLicense', { licenseId, reason: 'asked for' }],
      ['updateLicense', { licenseId, description: 'for Zyxwina', details: { zyxnote: 1 } }],
      ['assignLicense', { licenseId, assignedTo: { type: 'P', id: `zyxnote ${round}` } }],
      ['updateLicenseKey', { licenseKeyId, metadata: { zyxnote: 1 } }],
      ['disableLicenseKey', { licenseKeyId, reason: 'for Zyxwina' }],
      ['eraseCustomer', { customerId }],
    ];
    // Another one first each time, so that the erasure meets all of them at all their steps.
    const order = work.map((_, i) => work[(i + round) % work.length] as (typeof work)[number]);
    const found = await Promise.all(order.map(([name, input]) => codesOf(live, name, input)));
    order.forEach(([name], i) => {
      const seen = outcomes.get(name) ?? new Set();
      outcomes.set(name, seen.add(found[i]?.join() || 'done'));
    });
    expect([round, await tracesInDatabase(api)]).toEqual([round, []]);
    const open = 'SELECT count(*)::int FROM customer_sessions WHERE customer_id = $1 AND revoked_at IS NULL';
    expect((await api.db.sql<{ count: number }>(null, open, [rowId(customerId)]))[0]?.count).toBe(0);
  }
  for (const [name, seen] of outcomes) {
    const allowed = ['eraseCustomer', 'fulfillLicenseKeyGrant', 'pauseLicense'].includes(name)
      ? ['done']
      : ['CUSTOMER_ERASED', 'done'];
    expect([name, [...seen].filter((outcome) => !allowed.includes(outcome))]).toEqual([name, []]);
  }
  await expectInvariants(api.db);
});

test('the database itself sends back who would write down what it read before the erasure', async () => {
  const { live } = await newBusiness(api);
  const customerId = await newCustomer(api, live, person);
  expect(await codesOf(live, 'eraseCustomer', { customerId })).toEqual([]);
  const mail = `INSERT INTO deliveries (business_id, mode, id, customer_id, template, recipient, status, created_at, updated_at)
    SELECT business_id, mode, $2, id, 'license-key', $3, 'QUEUED', created_at, updated_at FROM customers WHERE id = $1`;
  const { pool } = api.db.writer;
  await expect(pool.query(mail, [rowId(customerId), newId(), person.email])).rejects.toMatchObject({ code: '40001' });
  await pool.query(mail, [rowId(customerId), newId(), null]);
});
