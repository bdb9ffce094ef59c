import { expect, test } from '@jest/globals';
import { useApi } from '../support/api.js';
import { newBusiness } from '../support/business.js';
import { born, catalogCalls, createSubscriptionType, idWith } from './catalogCalls.js';

const api = useApi();
const { run, refusals, codesOfTwenty, rowCounts } = catalogCalls(api);

test('createSubscriptionType gives back every field and refuses a taken name, also of twenty at once', async () => {
  const business = await newBusiness(api);
  expect(await run(business.live, createSubscriptionType, { name: ' Year ', days: 365, metadata: { a: 1 } })).toEqual({
    subscriptionType: { id: idWith('sub'), name: 'Year', days: 365, metadata: { a: 1 }, ...born },
    userErrors: [],
  });
  const before = await rowCounts(business);
  expect(await refusals(business.live, createSubscriptionType, { name: 'Year', days: 1 })).toEqual([
    ['NAME_TAKEN', 'input.name'],
  ]);
  for (const days of [0, -1, 36_501]) {
    expect(await refusals(business.live, createSubscriptionType, { name: '', days })).toEqual([
      ['INVALID_INPUT', 'input.name'],
      ['INVALID_INPUT', 'input.days'],
    ]);
  }
  expect(await rowCounts(business)).toEqual(before);
  const codes = await codesOfTwenty(business.live, createSubscriptionType, { name: 'Race', days: 36_500 });
  expect(codes).toEqual(Array.from({ length: 19 }, () => 'NAME_TAKEN'));
  expect(await rowCounts(business)).toMatchObject({ subscription_types: 2 });
});
