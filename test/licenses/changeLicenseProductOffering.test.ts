import { beforeAll, expect, test } from '@jest/globals';
import { useApi } from '../support/api.js';
import { newApiKey, newBusiness, newCustomer, newSession, type TestBusiness } from '../support/business.js';
import { attachEntitlement, newProduct, newProductOffering } from '../support/catalog.js';
import { expectInvariants } from '../support/invariants.js';
import { changesOf, newLicense, rowId, rowsOf } from '../support/licenses.js';
import { balanceOf, creditWallet, newWallet } from '../support/wallets.js';
import { changeOffering, previewChange } from './offeringCalls.js';

const api = useApi();
const start = '2026-01-01T00:00:00.000Z';
const middle = '2026-01-16T12:00:00.000Z';

interface Plans {
  business: TestBusiness;
  token: string;
  customerId: string;
  walletId: string;
  basic: string;
  pro: string;
  productId: string;
}

/** Basic at 10.00 and Pro at 31.00 USD a month, each with a key of its own beside the product's; Pro binds for 3 months. */
async function newPlans(): Promise<Plans> {
  api.setNow(start);
  const business = await newBusiness(api);
  const token = business.live;
  const productId = await newProduct(api, token);
  const fields = { productId, billingPeriod: 'MONTH', currencyCode: 'USD' };
  const basic = await newProductOffering(api, token, {
    ...fields,
    name: 'Basic',
    licenseType: 'basic',
    amount: '10.00',
  });
  const pro = await newProductOffering(api, token, {
    ...fields,
    name: 'Pro',
    licenseType: 'pro',
    amount: '31.00',
    boundMonths: 3,
  });
  await attachEntitlement(api, token, { target: { productId }, name: 'Base key' });
  await attachEntitlement(api, token, { target: { productOfferingId: basic }, name: 'Basic key' });
  await attachEntitlement(api, token, { target: { productOfferingId: pro }, name: 'Pro key' });
  const customerId = await newCustomer(api, token);
  const walletId = await newWallet(api, token, { customerId });
  await creditWallet(api, token, walletId, '100.00');
  return { business, token, customerId, walletId, basic, pro, productId };
}

let plans: Plans;
beforeAll(async () => {
  plans = await newPlans();
});

const read = `query ($id: ID!) { license(id: $id) { status type productOffering { id } version
  pendingProductOffering { productOffering { id } scheduledAt }
  productOfferingOptions { productOffering { id } changeSchedule changeDate }
  grants { status revocationReason entitlement { name } } } }`;
const seen = async (id: string) => (await api.data({ token: plans.token, query: read, variables: { id } })).license;

const license = (fields: object = {}) =>
  newLicense(api, plans.token, { productOfferingId: plans.basic, customerId: plans.customerId, ...fields });

test('at once to a dearer offering: type, grants, keys, proration and history follow, exactly as previewed', async () => {
  api.setNow(start);
  const licenseId = await license();
  api.setNow(middle);
  const wanted = { licenseId, productOfferingId: plans.pro };
  const preview = await previewChange(api, plans.token, wanted);
  // Half of January is left: 5.00 of 10.00 and 15.50 of 31.00.
  expect(preview).toEqual({
    changeSchedule: 'INSTANT',
    changeDate: middle,
    proration: { credit: { amount: '5.00' }, charge: { amount: '15.50' }, total: { amount: '10.50' } },
    productOffering: { id: plans.pro },
    type: 'pro',
    price: { amount: '31.00', currencyCode: 'USD' },
    boundUntil: '2026-04-16T12:00:00.000Z',
    revokedEntitlements: [{ name: 'Basic key' }],
    issuedEntitlements: [{ name: 'Pro key' }],
    userErrors: [],
  });
  const before = await balanceOf(api, plans.token, plans.walletId);
  const done = await changeOffering(api, plans.token, { ...wanted, walletId: plans.walletId, reason: 'Upgrade' });
  expect(done).toEqual({
    license: {
      id: licenseId,
      type: 'pro',
      productOffering: { id: plans.pro },
      pendingProductOffering: null,
      version: 2,
    },
    wallet: { id: plans.walletId },
    ledgerEntry: { isCredit: false, amount: { minorUnits: '1050' }, transaction: { kind: 'PRORATION' } },
    userErrors: [],
  });
  expect(await balanceOf(api, plans.token, plans.walletId)).toBe(before - 1050n);
  const { grants, ...after } = await seen(licenseId);
  expect(
    grants.map((grant: { entitlement: { name: string }; status: string; revocationReason: string | null }) => [
      grant.entitlement.name,
      grant.status,
      grant.revocationReason,
    ]),
  ).toEqual([
    ['Base key', 'DELIVERED', null],
    ['Basic key', 'REVOKED', 'PLAN_CHANGED'],
    ['Pro key', 'DELIVERED', null],
  ]);
  expect(after.productOfferingOptions).toEqual([
    {
      productOffering: { id: plans.basic },
      changeSchedule: 'END_OF_BOUND_PERIOD',
      changeDate: '2026-04-16T12:00:00.000Z',
    },
  ]);
  const keys = await api.db.sql<{ name: string; status: string }>(
    null,
    `SELECT e.name, k.status FROM grants g JOIN license_keys k ON k.id = g.license_key_id JOIN entitlements e ON e.id = g.entitlement_id
      WHERE g.license_id = $1 ORDER BY 1`,
    [rowId(licenseId)],
  );
  expect(keys).toEqual([
    { name: 'Base key', status: 'ACTIVE' },
    { name: 'Basic key', status: 'DISABLED' },
    { name: 'Pro key', status: 'ACTIVE' },
  ]);
  expect((await changesOf(api, licenseId)).at(-1)).toMatchObject({
    type: 'license.offering_changed',
    sequence: 2,
    reason: 'Upgrade',
    before: { type: 'basic' },
    after: { type: 'pro' },
  });
  await expectInvariants(api.db);
});

test('to a cheaper one at the end of the bound time: shown, replaced, true at its instant, then written once', async () => {
  api.setNow(start);
  const licenseId = await license({ productOfferingId: plans.pro });
  api.setNow(middle);
  const wanted = { licenseId, productOfferingId: plans.basic };
  const bound = '2026-04-01T00:00:00.000Z';
  const later = await changeOffering(api, plans.token, { ...wanted, at: '2026-05-01T00:00:00.000Z' });
  expect(later.license.pendingProductOffering.scheduledAt).toBe('2026-05-01T00:00:00.000Z');
  expect((await previewChange(api, plans.token, wanted)).proration.total).toEqual({ amount: '0.00' });
  const done = await changeOffering(api, plans.token, { ...wanted, walletId: plans.walletId });
  expect([done.userErrors, done.ledgerEntry]).toEqual([[], null]);
  expect(done.license).toMatchObject({
    type: 'pro',
    productOffering: { id: plans.pro },
    pendingProductOffering: { productOffering: { id: plans.basic }, scheduledAt: bound },
    version: 3,
  });
  api.setNow(bound);
  expect(await seen(licenseId)).toMatchObject({
    type: 'basic',
    productOffering: { id: plans.basic },
    pendingProductOffering: null,
    version: 3,
  });
  // Previewed from a license whose change is due and not written: what it then holds counts.
  const back = await previewChange(api, plans.token, { licenseId, productOfferingId: plans.pro });
  expect([back.revokedEntitlements, back.issuedEntitlements]).toEqual([[{ name: 'Basic key' }], [{ name: 'Pro key' }]]);
  await api.data({
    token: plans.token,
    query: `mutation ($input: UpdateLicenseInput!) { updateLicense(input: $input) { license { id } userErrors { message } } }`,
    variables: { input: { licenseId, description: 'Touched' } },
  });
  expect(await seen(licenseId)).toMatchObject({ type: 'basic', version: 5 });
  const changes = await changesOf(api, licenseId);
  expect(
    changes.map(({ type, actor_kind, created_at }) => [type, actor_kind, created_at.toISOString()]).slice(-2),
  ).toEqual([
    ['license.offering_changed', 'SYSTEM', bound],
    ['license.updated', 'API_KEY', bound],
  ]);
});

test('it refuses what it cannot do, each with its own code, and changes nothing', async () => {
  api.setNow(start);
  const { token, basic, pro, productId } = plans;
  const licenseId = await license({ productOfferingId: pro });
  const gone = await license();
  await api.data({
    token,
    query: `mutation ($input: CancelLicenseInput!) { cancelLicense(input: $input) { userErrors { message } } }`,
    variables: { input: { licenseId: gone } },
  });
  const ended = await license();
  await api.db.writer.pool.query('UPDATE licenses SET valid_until = $2 WHERE id = $1', [
    rowId(ended),
    '2026-01-10T00:00:00Z',
  ]);
  const assigned = { assignedTo: { type: 'SEAT', id: 'changing' } };
  await license({ productOfferingId: pro, ...assigned });
  const other = await license(assigned);
  const eur = await newProductOffering(api, token, { productId, currencyCode: 'EUR', amount: '90.00' });
  const group = await newProductOffering(api, token, { productId, group: 'Other', amount: '90.00' });
  const foreign = await newProductOffering(api, token, { amount: '90.00' });
  const poor = await newWallet(api, token, { customerId: plans.customerId });
  const euros = await newWallet(api, token, { customerId: plans.customerId, currencyCode: 'EUR' });
  const cheap = await license();
  api.setNow(middle);
  const before = await rowsOf(api);
  const cases: [object, string, string][] = [
    [{ licenseId, productOfferingId: pro }, 'SAME_PRODUCT_OFFERING', 'productOfferingId'],
    [{ licenseId, productOfferingId: eur }, 'PRODUCT_OFFERING_NOT_AN_OPTION', 'productOfferingId'],
    [{ licenseId, productOfferingId: group }, 'PRODUCT_OFFERING_NOT_AN_OPTION', 'productOfferingId'],
    [{ licenseId, productOfferingId: foreign }, 'PRODUCT_OFFERING_NOT_AN_OPTION', 'productOfferingId'],
    [{ licenseId, productOfferingId: 'offer_x' }, 'PRODUCT_OFFERING_NOT_FOUND', 'productOfferingId'],
    [{ licenseId, productOfferingId: basic, at: '2026-03-31T23:59:59.999Z' }, 'CHANGE_DATE_OUT_OF_RANGE', 'at'],
    [{ licenseId: cheap, productOfferingId: pro, at: '2026-01-16T11:59:59.999Z' }, 'INVALID_INPUT', 'at'],
    [{ licenseId: gone, productOfferingId: pro }, 'ILLEGAL_LICENSE_STATE', 'licenseId'],
    [{ licenseId: ended, productOfferingId: pro }, 'ILLEGAL_LICENSE_STATE', 'licenseId'],
    [{ licenseId: other, productOfferingId: pro }, 'ASSIGNEE_TAKEN', 'productOfferingId'],
    [{ licenseId: cheap, productOfferingId: pro, walletId: poor }, 'INSUFFICIENT_FUNDS', 'walletId'],
    [{ licenseId: cheap, productOfferingId: pro, walletId: euros }, 'CURRENCY_MISMATCH', 'walletId'],
    [{ licenseId: cheap, productOfferingId: pro, walletId: 'wal_x' }, 'WALLET_NOT_FOUND', 'walletId'],
    [
      { licenseId: cheap, productOfferingId: pro, walletId: plans.walletId, at: '2026-01-20T00:00:00Z' },
      'INVALID_INPUT',
      'walletId',
    ],
    [{ licenseId: cheap, productOfferingId: pro, expectedVersion: 9 }, 'STALE_OBJECT', 'expectedVersion'],
    [{ licenseId: 'lic_x', productOfferingId: pro }, 'LICENSE_NOT_FOUND', 'licenseId'],
  ];
  for (const [input, code, field] of cases) {
    const { license: changed, userErrors } = await changeOffering(api, token, input);
    expect([
      input,
      changed,
      userErrors.map((error: { code: string; path: string[] }) => [error.code, error.path]),
    ]).toEqual([input, null, [[code, ['input', field]]]]);
    // The preview refuses likewise, but for what only the change looks at.
    if (code === 'ASSIGNEE_TAKEN' || 'walletId' in input || 'expectedVersion' in input) continue;
    expect([input, (await previewChange(api, token, input)).userErrors]).toEqual([
      input,
      [{ code, path: ['input', field] }],
    ]);
  }
  expect(await rowsOf(api)).toBe(before);
});

test('races: of two licenses that change to one offering for one assignee one does, also when both changes come later', async () => {
  api.setNow(start);
  for (const at of [null, '2026-02-01T00:00:00.000Z']) {
    const assignedTo = { type: 'SEAT', id: `race ${String(at)}` };
    const { productId } = plans;
    const basic2 = await newProductOffering(api, plans.token, { productId, billingPeriod: 'MONTH', amount: '9.00' });
    const both = [await license({ assignedTo }), await license({ assignedTo, productOfferingId: basic2 })];
    const answers = await Promise.all([
      ...both.map((licenseId) => changeOffering(api, plans.token, { licenseId, productOfferingId: plans.pro, at })),
      api
        .call({
          token: plans.token,
          query: `mutation ($input: CreateLicenseInput!) { createLicense(input: $input) { license { id } userErrors { code } } }`,
          variables: { input: { productOfferingId: plans.pro, customerId: plans.customerId, assignedTo } },
        })
        .then(({ data }) => data.createLicense),
    ]);
    const codes = answers.flatMap(({ userErrors }) => userErrors.map((error: { code: string }) => error.code));
    expect(codes).toEqual(['ASSIGNEE_TAKEN', 'ASSIGNEE_TAKEN']);
  }
  const licenseId = await license();
  api.setNow(middle);
  const balance = await balanceOf(api, plans.token, plans.walletId);
  const input = { licenseId, productOfferingId: plans.pro, walletId: plans.walletId };
  const twice = await Promise.all([1, 2, 3].map(() => changeOffering(api, plans.token, input)));
  expect(twice.flatMap(({ userErrors }) => userErrors.map((error: { code: string }) => error.code))).toEqual([
    'SAME_PRODUCT_OFFERING',
    'SAME_PRODUCT_OFFERING',
  ]);
  expect(await balanceOf(api, plans.token, plans.walletId)).toBe(balance - 1050n);
  await expectInvariants(api.db);
});

test('a due change that has come to collide is dropped with a record, not tried for ever', async () => {
  api.setNow(start);
  const assignedTo = { type: 'SEAT', id: 'collides' };
  const licenseId = await license({ assignedTo });
  const at = '2026-02-01T00:00:00.000Z';
  expect((await changeOffering(api, plans.token, { licenseId, productOfferingId: plans.pro, at })).userErrors).toEqual(
    [],
  );
  const blocker = await license({ productOfferingId: plans.pro });
  await api.db.writer.pool.query(
    "UPDATE licenses SET assigned_to_type = 'SEAT', assigned_to_id = 'collides' WHERE id = $1",
    [rowId(blocker)],
  );
  api.setNow(at);
  await api.data({
    token: plans.token,
    query: `mutation ($input: UpdateLicenseInput!) { updateLicense(input: $input) { license { id } userErrors { message } } }`,
    variables: { input: { licenseId, description: 'Touched' } },
  });
  expect(await seen(licenseId)).toMatchObject({ type: 'basic', pendingProductOffering: null });
  expect((await changesOf(api, licenseId)).map(({ type }) => type)).toEqual([
    'license.created',
    'license.change_scheduled',
    'license.change_cancelled',
    'license.updated',
  ]);
});

test('not yours: another tenant and the other mode get nowhere', async () => {
  api.setNow(start);
  const licenseId = await license();
  const theirs = await newBusiness(api);
  const before = await rowsOf(api);
  const input = { licenseId, productOfferingId: plans.pro };
  for (const [token, code] of [
    [theirs.live, 'LICENSE_NOT_FOUND'],
    [plans.business.test, 'MODE_MISMATCH'],
  ] as const) {
    expect((await changeOffering(api, token, input)).userErrors.map((error: { code: string }) => error.code)).toEqual([
      code,
    ]);
    expect((await previewChange(api, token, input)).userErrors.map((error: { code: string }) => error.code)).toEqual([
      code,
    ]);
  }
  expect(await rowsOf(api)).toBe(before);
});

test('not allowed: without the scope, with a wallet but not the right to buy, and to a session', async () => {
  api.setNow(start);
  const licenseId = await license();
  const input = { licenseId, productOfferingId: plans.pro };
  const writer = await newApiKey(api, plans.token, ['LICENSES_WRITE']);
  const session = await newSession(api, plans.token, plans.customerId);
  const query = `mutation ($input: ChangeLicenseProductOfferingInput!) { changeLicenseProductOffering(input: $input) { userErrors { code } } }`;
  const before = await rowsOf(api);
  for (const [token, more] of [
    [writer, { walletId: plans.walletId }],
    [await newApiKey(api, plans.token, ['LICENSES_READ']), {}],
    [session, {}],
  ] as const) {
    const answer = await api.call({ token, query, variables: { input: { ...input, ...more } } });
    expect(answer.errors?.map(({ extensions }) => extensions.code)).toEqual(['FORBIDDEN']);
  }
  expect(JSON.parse(await rowsOf(api)).filter(({ row }: { row: string }) => row.includes(rowId(licenseId)))).toEqual(
    JSON.parse(before).filter(({ row }: { row: string }) => row.includes(rowId(licenseId))),
  );
});

test('the options of many licenses cost as many statements as those of one', async () => {
  api.setNow(start);
  const count = (first: number) =>
    api.countStatements(() =>
      api.data({
        token: plans.token,
        query: `{ licenses(first: ${first}) { nodes { productOfferingOptions { productOffering { id } } } } }`,
      }),
    );
  await count(1); // The token is looked up once.
  expect(await count(10)).toBe(await count(1));
});
