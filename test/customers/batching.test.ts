import { expect, test } from '@jest/globals';
import { useApi } from '../support/api.js';
import { newApiKey, newBusiness, newCustomer } from '../support/business.js';
import { newLicense } from '../support/licenses.js';
import { newWallet } from '../support/wallets.js';
import { allScopes } from '../../src/accounts/scopes.js';

const api = useApi();

test('a support person sees 5 or 50 customers with all that is theirs by the same number of statements', async () => {
  const { live } = await newBusiness(api);
  for (let i = 0; i < 50; i++) {
    const customerId = await newCustomer(api, live);
    if (i % 5 === 0) await newLicense(api, live, { customerId });
    if (i % 5 === 1) await newWallet(api, live, { customerId });
  }
  const query = `query ($first: Int) { customers(first: $first) { nodes {
    brand { name }
    licenses(first: 2) { totalCount nodes { number licenseKeys { maskedKey } grants { status deliveries { status } } productOffering { product { sku } } history(first: 3) { nodes { type } } } }
    grants(first: 2) { totalCount nodes { entitlement { name } } }
    wallets(first: 2) { totalCount nodes { balance { amount } ledgerEntries(first: 2) { nodes { id } } } }
    orders(first: 2) { totalCount nodes { number } }
  } } }`;
  const statements = async (first: number) => {
    // A key of its own, so that neither request finds the other's token remembered.
    const token = await newApiKey(api, live, allScopes);
    return api.countStatements(async () => {
      const { customers } = await api.data({ token, query, variables: { first } });
      expect(customers.nodes).toHaveLength(first);
    });
  };
  const few = await statements(5);
  expect(few).toBeGreaterThan(10);
  expect(await statements(50)).toBe(few);
});
