import { expect, test } from '@jest/globals';
import { useApi } from '../support/api.js';
import { newBusiness } from '../support/business.js';
import { createEntitlement, entitlementCalls, fields, noon } from './entitlementCalls.js';

const api = useApi();
const { run, refusals, rowsOf } = entitlementCalls(api);

test('createEntitlement gives back every field', async () => {
  const business = await newBusiness(api);
  const { entitlement, userErrors } = await run(business.live, createEntitlement, {
    name: ' Studio key ',
    description: 'Opens Studio',
    configuration: {
      licenseKey: {
        fulfillmentMode: 'MANUAL',
        activationsLimit: 3,
        duration: { count: 1, unit: 'YEAR' },
        activationMessage: ' Welcome ',
        fulfillWithinHours: 48,
      },
    },
    metadata: { a: 1 },
  });
  expect(userErrors).toEqual([]);
  expect(entitlement).toEqual({
    id: expect.stringMatching(/^ent_[0-9a-hjkmnp-tv-z]{26}$/),
    name: 'Studio key',
    description: 'Opens Studio',
    integrationType: 'LICENSE_KEY',
    configuration: {
      __typename: 'LicenseKeyConfiguration',
      fulfillmentMode: 'MANUAL',
      activationsLimit: 3,
      duration: { count: 1, unit: 'YEAR' },
      activationMessage: 'Welcome',
      fulfillWithinHours: 48,
    },
    archivedAt: null,
    metadata: { a: 1 },
    version: 1,
    createdAt: noon,
    updatedAt: noon,
  });
  expect(await rowsOf(business)).toEqual({ entitlements: 1, attachments: 0, changes: 1, versions: [1] });
  const query = `query ($id: ID!) { entitlement(id: $id) { ${fields} } node(id: $id) { id } }`;
  expect(await api.data({ token: business.test, query, variables: { id: entitlement.id } })).toEqual({
    entitlement,
    node: { id: entitlement.id },
  });
});

test('a license key is given at once, to any number of devices, for ever, unless said otherwise; by hand within a day', async () => {
  const { live } = await newBusiness(api);
  const configured = async (licenseKey: object) =>
    (await run(live, createEntitlement, { name: 'n', configuration: { licenseKey } })).entitlement.configuration;
  const defaults = {
    __typename: 'LicenseKeyConfiguration',
    fulfillmentMode: 'AUTO',
    activationsLimit: null,
    duration: null,
    activationMessage: null,
    fulfillWithinHours: null,
  };
  expect(await configured({})).toEqual(defaults);
  expect(await configured({ fulfillmentMode: null, activationMessage: ' ' })).toEqual(defaults);
  const manual = { ...defaults, fulfillmentMode: 'MANUAL', fulfillWithinHours: 24 };
  expect(await configured({ fulfillmentMode: 'MANUAL' })).toEqual(manual);
  expect(await configured({ fulfillmentMode: 'MANUAL', fulfillWithinHours: null })).toEqual(manual);
});

test('createEntitlement reports all problems at once and changes nothing', async () => {
  const business = await newBusiness(api);
  const licenseKey = {
    activationsLimit: 0,
    duration: { count: 1001, unit: 'DAY' },
    activationMessage: 'x'.repeat(2501),
    fulfillWithinHours: 24,
  };
  const at = 'input.configuration.licenseKey';
  const input = { name: ' ', description: 'x'.repeat(2001), configuration: { licenseKey }, metadata: { ['']: 1 } };
  expect(await refusals(business.live, createEntitlement, input)).toEqual([
    ['InvalidInput', 'INVALID_INPUT', 'input.name'],
    ['InvalidInput', 'INVALID_INPUT', 'input.description'],
    ['InvalidActivationsLimit', 'INVALID_ACTIVATIONS_LIMIT', `${at}.activationsLimit`],
    ['InvalidInput', 'INVALID_INPUT', `${at}.duration.count`],
    ['InvalidInput', 'INVALID_INPUT', `${at}.activationMessage`],
    ['InvalidInput', 'INVALID_INPUT', `${at}.fulfillWithinHours`],
    ['InvalidInput', 'INVALID_INPUT', 'input.metadata.'],
  ]);
  const shapeless = await api.call({
    token: business.live,
    query: createEntitlement,
    variables: { input: { name: 'n', configuration: {} } },
  });
  expect(shapeless.errors?.map((error) => error.extensions.code)).toEqual(['BAD_USER_INPUT']);
  expect(await rowsOf(business)).toEqual({ entitlements: 0, attachments: 0, changes: 0, versions: [] });
});
