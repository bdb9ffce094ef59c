import { expect, test } from '@jest/globals';
import { print } from 'graphql';
import { SupportViewDocument } from '../../sdk/src/generated/sdk.js';
import { allScopes } from '../../src/accounts/scopes.js';
import { useApi } from '../support/api.js';
import { newApiKey, newBusiness, newCustomer, newOrganization } from '../support/business.js';
import { attachEntitlement, newPackage, newPackagePrice, newProduct, newSubscriptionType } from '../support/catalog.js';
import { newKeyedOffering, newLicense } from '../support/licenses.js';
import { creditWallet, newWallet } from '../support/wallets.js';
import { purchaseInput } from '../support/world.js';

const api = useApi();
const query = print(SupportViewDocument);

/** A customer with so many licenses, half of them bought and half created, each with a key, a grant and a queued mail. */
async function newOwner(live: string, licenses: number): Promise<string> {
  const organizationId = await newOrganization(api, live);
  const customerId = await newCustomer(api, live, { email: `owner-${licenses}@example.com`, organizationId });
  const primaryProductId = await newProduct(api, live);
  await attachEntitlement(api, live, { target: { productId: primaryProductId } });
  const packageId = await newPackage(api, live, { primaryProductId });
  const subscriptionTypeId = await newSubscriptionType(api, live);
  await newPackagePrice(api, live, { packageId, subscriptionTypeId });
  const walletId = await newWallet(api, live, { customerId });
  await creditWallet(api, live, walletId, '1000');
  const shop = { walletId, packageId, subscriptionTypeId, customerId };
  await api.data({
    token: live,
    query:
      'mutation ($input: PurchaseLicensesByWalletInput!) { purchaseLicensesByWallet(input: $input) { userErrors { message } } }',
    variables: { input: purchaseInput(shop, { quantity: licenses / 2, description: 'desk' }) },
  });
  const productOfferingId = await newKeyedOffering(api, live);
  for (let i = 0; i < licenses / 2; i++) {
    const licenseId = await newLicense(api, live, { customerId, productOfferingId });
    await api.data({
      token: live,
      query: 'mutation ($input: PauseLicenseInput!) { pauseLicense(input: $input) { userErrors { message } } }',
      variables: { input: { licenseId, reason: 'asked for' } },
    });
  }
  return customerId;
}

test('one document shows a support person everything about a customer, by the same statements for 2 and 20 licenses', async () => {
  const { live } = await newBusiness(api);
  const counts: number[] = [];
  for (const licenses of [2, 20]) {
    const customerId = await newOwner(live, licenses);
    // A key of its own, so that neither request finds the other's token remembered.
    const token = await newApiKey(api, live, allScopes);
    counts.push(
      await api.countStatements(async () => {
        const answer = await api.call({ token, query, variables: { customerId } });
        expect(answer.errors).toBeUndefined();
        expect(answer.data.customer.licenses).toMatchObject({ totalCount: licenses, pageInfo: { hasNextPage: false } });
        expect(answer.data.customer.licenses.nodes).toHaveLength(licenses);
        // Within the budget of a server with default settings, with room for what a desk adds.
        expect(answer.extensions.cost).toMatchObject({ requested: expect.any(Number) });
        expect(answer.extensions.cost.requested).toBeLessThan(5_000);
      }),
    );
  }
  expect(counts[0]).toBeGreaterThan(15);
  expect(counts[1]).toBe(counts[0]);
});

test('it shows customer, licenses with keys, grants, mails, orders and history, wallets with their ledgers, and orders', async () => {
  const { live } = await newBusiness(api);
  const customerId = await newOwner(live, 2);
  const { customer } = await api.data({ token: live, query, variables: { customerId } });
  expect(customer).toMatchObject({
    id: customerId,
    name: 'Erika Mustermann',
    email: 'owner-2@example.com',
    organization: { name: 'Muster GmbH' },
    erasedAt: null,
  });
  const [created, bought] = customer.licenses.nodes;
  const delivered = {
    status: 'DELIVERED',
    deliveries: [{ status: 'QUEUED', recipient: 'owner-2@example.com', template: 'license-key', attempts: 0 }],
  };
  expect(bought).toMatchObject({
    number: expect.stringMatching(/^L\d{9}$/),
    status: 'ACTIVE',
    isActive: true,
    package: { name: 'Starter' },
    productOffering: null,
    subscriptionType: { name: expect.any(String) },
    order: { number: customer.orders.nodes[0].number },
    amount: { amount: '10.00', currencyCode: 'USD' },
    description: 'desk',
    licenseKeys: [{ source: 'AUTO', status: 'ACTIVE' }],
    grants: [delivered],
    history: { nodes: [{ type: 'license.created', actorKind: 'API_KEY', reason: null }] },
  });
  expect(created).toMatchObject({
    status: 'PAUSED',
    productOffering: { name: 'Studio, for good' },
    order: null,
    licenseKeys: [{ source: 'AUTO', status: 'ACTIVE' }],
    grants: [{ status: 'REVOKED', revocationReason: 'LICENSE_PAUSED' }],
    history: { nodes: [{ type: 'license.paused', reason: 'asked for' }, { type: 'license.created' }] },
  });
  expect(customer.wallets.nodes).toMatchObject([
    {
      currencyCode: 'USD',
      isDefault: true,
      balance: { amount: '990.00' },
      ledgerEntries: {
        nodes: [
          {
            isCredit: false,
            amount: { amount: '10.00' },
            balanceAfter: { amount: '990.00' },
            transaction: { kind: 'PURCHASE' },
          },
          { isCredit: true, amount: { amount: '1000.00' }, transaction: { kind: 'CREDIT', order: null } },
        ],
      },
    },
  ]);
  expect(customer.orders.nodes).toMatchObject([
    { status: 'COMPLETED', total: { amount: '10.00' }, lines: [{ quantity: 1, description: 'desk' }] },
  ]);
});

test('a support person without a scope sees the rest', async () => {
  const { live } = await newBusiness(api);
  const customerId = await newOwner(live, 2);
  const token = await newApiKey(
    api,
    live,
    allScopes.filter((scope) => scope !== 'WALLETS_READ' && scope !== 'AUDIT_READ'),
  );
  const answer = await api.call({ token, query, variables: { customerId } });
  expect(answer.errors?.map(({ path, extensions }) => [path?.at(-1), extensions.requiredScopes])).toEqual(
    expect.arrayContaining([
      ['wallets', ['WALLETS_READ']],
      ['history', ['AUDIT_READ']],
    ]),
  );
  expect(answer.errors).toHaveLength(2);
  expect([answer.data.customer.wallets, answer.data.customer.licenses.nodes.length]).toEqual([null, 2]);
});
