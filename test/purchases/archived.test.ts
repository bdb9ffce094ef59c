import { expect, test } from '@jest/globals';
import { useApi } from '../support/api.js';
import { newBusiness } from '../support/business.js';
import { newWorld, purchaseInput } from '../support/world.js';

const api = useApi();

test.each([
  ['Package', 'packageId', 'PACKAGE_ARCHIVED'],
  ['SubscriptionType', 'subscriptionTypeId', 'SUBSCRIPTION_TYPE_ARCHIVED'],
] as const)('nothing is bought of an archived %s', async (type, idField, code) => {
  const { live } = await newBusiness(api);
  const input = purchaseInput(await newWorld(api, live)) as Record<string, unknown>;
  await api.data({
    token: live,
    query: `mutation ($input: Archive${type}Input!) { archive${type}(input: $input) { userErrors { code } } }`,
    variables: { input: { [idField]: input[idField] } },
  });
  const answer = await api.call({
    token: live,
    query: `mutation ($input: PurchaseLicensesByWalletInput!) { purchaseLicensesByWallet(input: $input) {
      statusCode order { id } userErrors { code path } } }`,
    variables: { input },
  });
  expect(answer.data.purchaseLicensesByWallet).toEqual({
    statusCode: 409,
    order: null,
    userErrors: [{ code, path: ['input', idField] }],
  });
});
