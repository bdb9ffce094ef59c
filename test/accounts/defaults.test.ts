import { expect, test } from '@jest/globals';
import { adminToken, useApi } from '../support/api.js';
import { newBusiness, newCustomer, type TestBusiness } from '../support/business.js';
import { newPackage, newProduct, newSubscriptionType } from '../support/catalog.js';
import { changesOf } from '../support/licenses.js';

const api = useApi();

/** The payload of a mutation with this input; `shown` is what it reads. */
async function run(token: string, mutation: string, shown: string, input: object): Promise<any> {
  const type = `${mutation[0]?.toUpperCase()}${mutation.slice(1)}Input`;
  const query = `mutation ($input: ${type}!) { ${mutation}(input: $input) { ${shown} userErrors { code path } } }`;
  const { data, errors } = await api.call({ token, query, variables: { input } });
  if (errors) throw new Error(JSON.stringify(errors));
  return data[mutation];
}

const business = 'business { defaultCurrencyCode defaultLocale version }';
const update = ({ live }: TestBusiness, input: object) => run(live, 'updateBusiness', business, input);

/** What takes the default currency, each with the currency that came of it. */
async function priced(
  token: string,
  given: object,
): Promise<[string | undefined, { code: string; path: string[] }[]][]> {
  const [customerId, productId] = [await newCustomer(api, token), await newProduct(api, token)];
  const [packageId, subscriptionTypeId] = [await newPackage(api, token), await newSubscriptionType(api, token)];
  const offering = { productId, name: 'O', licenseType: 't', amount: '1', ...given };
  const price = { packageId, subscriptionTypeId, amount: '1', ...given };
  const inPrice = 'price { currencyCode }';
  const answers = [
    await run(token, 'createWallet', 'made: wallet { price: balance { currencyCode } }', { customerId, ...given }),
    await run(token, 'createProductOffering', `made: productOffering { ${inPrice} }`, offering),
    await run(token, 'createPackagePrice', `made: packagePrice { ${inPrice} }`, price),
  ];
  return answers.map(({ made, userErrors }) => [made?.price.currencyCode, userErrors]);
}

test('a business is created with defaults, changes and clears them, and each change is recorded', async () => {
  const created = await newBusiness(api, { defaultCurrencyCode: 'EUR', defaultLocale: ' de-DE ' });
  const shown = await api.data({ token: created.live, query: `{ ${business} }` });
  expect(shown.business).toEqual({ defaultCurrencyCode: 'EUR', defaultLocale: 'de-DE', version: 1 });
  const changed = { defaultCurrencyCode: 'JPY', defaultLocale: 'de-DE', version: 2 };
  expect((await update(created, { defaultCurrencyCode: 'JPY' })).business).toEqual(changed);
  const cleared = { defaultCurrencyCode: null, defaultLocale: null };
  expect((await update(created, cleared)).business).toEqual({ ...cleared, version: 3 });
  expect((await update(created, cleared)).business.version).toBe(3);
  const changes = await changesOf(api, created.id);
  expect(changes.slice(1).map(({ before, after }) => [before, after])).toEqual([
    [{ defaultCurrency: 'EUR' }, { defaultCurrency: 'JPY' }],
    [
      { defaultCurrency: 'JPY', defaultLocale: 'de-DE' },
      { defaultCurrency: null, defaultLocale: null },
    ],
  ]);
});

test('what is no currency and no language tag is refused, and changes nothing', async () => {
  const mine = await newBusiness(api);
  const input = { defaultCurrencyCode: 'XXY', defaultLocale: 'not a tag' };
  const userErrors = [
    { code: 'INVALID_CURRENCY', path: ['input', 'defaultCurrencyCode'] },
    { code: 'INVALID_INPUT', path: ['input', 'defaultLocale'] },
  ];
  expect(await update(mine, input)).toEqual({ business: null, userErrors });
  const fields = { name: 'B', brandUrl: `x.${mine.brandUrl}`, ...input };
  expect(await run(adminToken, 'createBusiness', 'business { id }', fields)).toEqual({ business: null, userErrors });
  expect(await changesOf(api, mine.id)).toHaveLength(1);
});

test('wallets and prices without a currency have the default one; without a default they are refused', async () => {
  const mine = await newBusiness(api);
  const refused = [{ code: 'INVALID_INPUT', path: ['input', 'currencyCode'] }];
  for (const given of [{}, { currencyCode: null }]) {
    expect(await priced(mine.live, given)).toEqual(Array(3).fill([undefined, refused]));
  }
  await update(mine, { defaultCurrencyCode: 'JPY' });
  for (const token of [mine.live, mine.test]) expect(await priced(token, {})).toEqual(Array(3).fill(['JPY', []]));
  expect(await priced(mine.live, { currencyCode: 'USD' })).toEqual(Array(3).fill(['USD', []]));
  // An amount must fit the default currency, too.
  const offering = { productId: await newProduct(api, mine.live), name: 'O', licenseType: 't', amount: '1.5' };
  expect((await run(mine.live, 'createProductOffering', 'productOffering { id }', offering)).userErrors).toEqual([
    { code: 'INVALID_AMOUNT', path: ['input', 'amount'] },
  ]);
});

test('new customers have the default locale unless they have one; those that are there keep theirs', async () => {
  const mine = await newBusiness(api, { defaultLocale: 'de-DE' });
  const made = async (mutation: string, input: object) =>
    (await run(mine.live, mutation, 'customer { locale }', input)).customer.locale;
  expect(await made('createCustomer', {})).toBe('de-DE');
  expect(await made('createCustomer', { locale: ' ' })).toBe('de-DE');
  expect(await made('createCustomer', { locale: 'fr' })).toBe('fr');
  expect(await made('upsertCustomer', { externalId: 'a' })).toBe('de-DE');
  await update(mine, { defaultLocale: 'en' });
  expect(await made('upsertCustomer', { externalId: 'a', firstName: 'A' })).toBe('de-DE');
  await update(mine, { defaultLocale: null });
  expect(await made('createCustomer', {})).toBeNull();
});
