import { beforeAll, expect, test } from '@jest/globals';
import { useApi } from '../support/api.js';
import { newApiKey, newBusiness, newSession, type TestBusiness } from '../support/business.js';
import { newPackagePrice, newProductOffering, newSubscriptionType } from '../support/catalog.js';
import { expectInvariants } from '../support/invariants.js';
import { changesOf, newLicense, rowId, rowsOf } from '../support/licenses.js';
import { balanceOf, newWallet } from '../support/wallets.js';
import { newWorld, purchaseInput, type World } from '../support/world.js';

const api = useApi();
const DAY = 86_400_000;
const start = new Date('2026-01-01T00:00:00.000Z');
const after = (days: number) => new Date(start.getTime() + days * DAY).toISOString();

let business: TestBusiness;
let token: string;
let world: World;
beforeAll(async () => {
  api.setNow(start);
  business = await newBusiness(api);
  token = business.live;
  world = await newWorld(api, token);
});

const query = `mutation ($input: RenewLicenseInput!) { renewLicense(input: $input) {
  license { id status type validFrom validUntil version amount { amount } package { id } subscriptionType { id } productOffering { id }
    customer { id } renewalOf { id renewal { id } } licenseKeys { last4 } grants { status } }
  order { status total { amount } lines { quantity unitAmount { amount } package { id } productOffering { id } } }
  wallet { id } ledgerEntry { isCredit amount { minorUnits } transaction { kind } }
  userErrors { __typename code path ... on LicenseAlreadyRenewed { renewalId } } } }`;
async function renew(input: object, caller = token): Promise<any> {
  const answer = await api.call({ token: caller, query, variables: { input } });
  expect(answer.errors).toBeUndefined();
  return answer.data.renewLicense;
}
const codes = (payload: { userErrors: { code: string }[] }) => payload.userErrors.map(({ code }) => code);

/** A license that was bought for 30 days from the start: a generated key, and one that waits for an agent. */
async function bought(): Promise<string> {
  const input = purchaseInput(world, { startDate: start, endDate: after(30) });
  const { purchaseLicensesByWallet } = await api.data({
    token,
    query: `mutation ($input: PurchaseLicensesByWalletInput!) { purchaseLicensesByWallet(input: $input) { licenses { id } userErrors { message } } }`,
    variables: { input },
  });
  return purchaseLicensesByWallet.licenses[0].id;
}
const read = `query ($id: ID!) { license(id: $id) { status isActive renewal { id } renewalOf { id } licenseKeys { last4 }
  grants { status revocationReason entitlement { name } } } }`;
const seen = async (id: string) => (await api.data({ token, query: read, variables: { id } })).license;
const touch = (licenseId: string) =>
  api.data({
    token,
    query: 'mutation ($input: UpdateLicenseInput!) { updateLicense(input: $input) { userErrors { message } } }',
    variables: { input: { licenseId, description: new Date().toISOString() } },
  });
const cancel = (licenseId: string) =>
  api.data({
    token,
    query: 'mutation ($input: CancelLicenseInput!) { cancelLicense(input: $input) { userErrors { message } } }',
    variables: { input: { licenseId } },
  });

test('it is bought, waits on the same key, and takes the grants over when it starts', async () => {
  api.setNow(after(10));
  const licenseId = await bought();
  const balance = await balanceOf(api, token, world.walletId);
  const { license, ...done } = await renew({ licenseId, walletId: world.walletId });
  const old = await seen(licenseId);
  expect(license).toEqual({
    id: expect.any(String),
    status: 'PENDING',
    type: expect.any(String),
    validFrom: after(30),
    validUntil: after(60),
    version: 1,
    amount: { amount: '10.00' },
    package: { id: world.packageId },
    subscriptionType: { id: world.subscriptionTypeId },
    productOffering: null,
    customer: { id: world.customerId },
    renewalOf: { id: licenseId, renewal: { id: license.id } },
    licenseKeys: old.licenseKeys,
    grants: [],
  });
  expect(done).toEqual({
    order: {
      status: 'COMPLETED',
      total: { amount: '10.00' },
      lines: [
        { quantity: 1, unitAmount: { amount: '10.00' }, package: { id: world.packageId }, productOffering: null },
      ],
    },
    wallet: { id: world.walletId },
    ledgerEntry: { isCredit: false, amount: { minorUnits: '1000' }, transaction: { kind: 'PURCHASE' } },
    userErrors: [],
  });
  expect(await balanceOf(api, token, world.walletId)).toBe(balance - 1000n);
  expect([old.renewal, old.licenseKeys.length, old.grants.length]).toEqual([{ id: license.id }, 1, 2]);
  api.setNow(after(30));
  expect(await seen(license.id)).toMatchObject({ status: 'ACTIVE', isActive: true });
  await touch(licenseId);
  await touch(license.id);
  expect((await seen(licenseId)).grants).toEqual([]);
  expect((await seen(license.id)).grants.map(({ status }: { status: string }) => status).sort()).toEqual([
    'DELIVERED',
    'PENDING',
  ]);
  expect((await changesOf(api, licenseId)).map(({ type }) => type)).toEqual([
    'license.created',
    'license.renewed',
    'license.expired',
    'license.updated',
  ]);
  await expectInvariants(api.db);
});

test('one that has ended starts now, and what its end took back comes back; free of charge where nobody pays', async () => {
  api.setNow(after(0));
  const licenseId = await bought();
  api.setNow(after(40));
  await touch(licenseId);
  expect(
    (await seen(licenseId)).grants.map(({ revocationReason }: { revocationReason: string }) => revocationReason),
  ).toEqual(['LICENSE_EXPIRED', 'LICENSE_EXPIRED']);
  const { license, ...paid } = await renew({ licenseId, until: after(47) });
  expect(paid).toEqual({ order: null, wallet: null, ledgerEntry: null, userErrors: [] });
  expect(license).toMatchObject({ status: 'ACTIVE', validFrom: after(40), validUntil: after(47), amount: null });
  expect(license.grants.map(({ status }: { status: string }) => status).sort()).toEqual(['DELIVERED', 'PENDING']);
});

test('a renewal that is cancelled before it starts leaves the old license as if it had none', async () => {
  api.setNow(after(0));
  const licenseId = await bought();
  const { license } = await renew({ licenseId });
  await cancel(license.id);
  expect((await seen(licenseId)).renewal).toBe(null);
  expect((await changesOf(api, licenseId)).at(-1)).toMatchObject({ type: 'license.renewal_cancelled' });
  const [key] = await api.db.sql<{ status: string }>(
    null,
    'SELECT k.status FROM license_keys k JOIN license_key_bindings b ON b.license_key_id = k.id WHERE b.license_id = $1',
    [rowId(licenseId)],
  );
  expect(key?.status).toBe('ACTIVE');
  expect(codes(await renew({ licenseId }))).toEqual([]);
  const again = (await seen(licenseId)).renewal.id;
  await cancel(again);
  api.setNow(after(30));
  await touch(licenseId);
  expect((await seen(licenseId)).grants.map(({ status }: { status: string }) => status)).toEqual([
    'REVOKED',
    'REVOKED',
  ]);
});

test('a license of an offering is renewed for its billing period, at its price', async () => {
  api.setNow(start);
  const offering = { billingPeriod: 'MONTH', amount: '7.00', boundMonths: 3 };
  const productOfferingId = await newProductOffering(api, token, offering);
  const assignedTo = { type: 'SEAT', id: 'renewed' };
  const licenseId = await newLicense(api, token, { productOfferingId, customerId: world.customerId, assignedTo });
  expect(codes(await renew({ licenseId }))).toEqual(['LICENSE_PERMANENT']);
  await api.db.writer.pool.query('UPDATE licenses SET valid_until = $2 WHERE id = $1', [
    rowId(licenseId),
    '2026-01-31T00:00:00Z',
  ]);
  const done = await renew({ licenseId, walletId: world.walletId });
  expect(done.license).toMatchObject({
    productOffering: { id: productOfferingId },
    validFrom: '2026-01-31T00:00:00.000Z',
    validUntil: '2026-02-28T00:00:00.000Z',
    amount: { amount: '7.00' },
  });
  expect(done.order.lines).toEqual([
    { quantity: 1, unitAmount: { amount: '7.00' }, package: null, productOffering: { id: productOfferingId } },
  ]);
  await expectInvariants(api.db);
});

test('nothing is renewed at an archived price, but at the one that took its place', async () => {
  api.setNow(start);
  const { packageId, walletId } = world;
  const subscriptionTypeId = await newSubscriptionType(api, token);
  const price = (amount: string) =>
    newPackagePrice(api, token, { packageId, subscriptionTypeId, amount, currencyCode: 'USD' });
  const archive = (packagePriceId: string) =>
    api.data({
      token,
      query: `mutation ($input: ArchivePackagePriceInput!) { archivePackagePrice(input: $input) { userErrors { message } } }`,
      variables: { input: { packagePriceId } },
    });
  const licenseId = await bought();
  await archive(await price('1.00'));
  await archive(await price('2.00'));
  const balance = await balanceOf(api, token, walletId);
  expect((await renew({ licenseId, walletId, subscriptionTypeId })).userErrors).toEqual([
    { __typename: 'PriceNotFound', code: 'PRICE_NOT_FOUND', path: ['input', 'subscriptionTypeId'] },
  ]);
  expect(await balanceOf(api, token, walletId)).toBe(balance);
  await price('3.00');
  const { order } = await renew({ licenseId, walletId, subscriptionTypeId });
  expect(order.total.amount).toBe('3.00');
});

test('it refuses, each with its own code, and changes nothing', async () => {
  api.setNow(start);
  const [licenseId, gone, renewed] = [await bought(), await bought(), await bought()];
  await cancel(gone);
  const renewal = (await renew({ licenseId: renewed })).license.id;
  const poor = await newWallet(api, token, { customerId: world.customerId });
  const euros = await newWallet(api, token, { customerId: world.customerId, currencyCode: 'EUR' });
  const unpriced = await newSubscriptionType(api, token);
  const permanent = await newLicense(api, token, { customerId: world.customerId });
  const before = await rowsOf(api);
  const { walletId } = world;
  const cases: [object, string, string][] = [
    [{ licenseId: gone }, 'ILLEGAL_LICENSE_STATE', 'licenseId'],
    [{ licenseId: permanent }, 'LICENSE_PERMANENT', 'licenseId'],
    [{ licenseId, walletId: poor }, 'INSUFFICIENT_FUNDS', 'walletId'],
    [{ licenseId, walletId: euros }, 'PRICE_NOT_FOUND', 'subscriptionTypeId'],
    [{ licenseId, walletId: 'wal_x' }, 'WALLET_NOT_FOUND', 'walletId'],
    [{ licenseId, walletId, subscriptionTypeId: unpriced }, 'PRICE_NOT_FOUND', 'subscriptionTypeId'],
    [{ licenseId, subscriptionTypeId: 'sub_x' }, 'SUBSCRIPTION_TYPE_NOT_FOUND', 'subscriptionTypeId'],
    [{ licenseId, walletId, until: after(40) }, 'INVALID_INPUT', 'until'],
    [{ licenseId, until: after(30) }, 'INVALID_DATE_RANGE', 'until'],
    [{ licenseId, expectedVersion: 5 }, 'STALE_OBJECT', 'expectedVersion'],
    [{ licenseId: 'lic_x' }, 'LICENSE_NOT_FOUND', 'licenseId'],
  ];
  for (const [input, code, field] of cases) {
    const { license, userErrors } = await renew(input);
    expect([input, license, userErrors]).toEqual([
      input,
      null,
      [expect.objectContaining({ code, path: ['input', field] })],
    ]);
  }
  expect((await renew({ licenseId: renewed })).userErrors).toEqual([
    {
      __typename: 'LicenseAlreadyRenewed',
      code: 'LICENSE_ALREADY_RENEWED',
      path: ['input', 'licenseId'],
      renewalId: renewal,
    },
  ]);
  expect(await rowsOf(api)).toBe(before);
  await expectInvariants(api.db);
});

test('with managed billing nothing is renewed for nothing', async () => {
  api.setNow(start);
  const managed = await newBusiness(api, { managedBilling: true });
  const theirs = await newWorld(api, managed.live);
  const [licenseId] = theirs.licenseIds;
  expect(codes(await renew({ licenseId }, managed.live))).toEqual(['DIRECT_LICENSE_CREATION_DISABLED']);
  expect(codes(await renew({ licenseId, walletId: theirs.walletId }, managed.live))).toEqual([]);
});

test('races: of many at once one renews and pays', async () => {
  api.setNow(start);
  const licenseId = await bought();
  const balance = await balanceOf(api, token, world.walletId);
  const answers = await Promise.all([1, 2, 3, 4].map(() => renew({ licenseId, walletId: world.walletId })));
  expect(answers.flatMap(codes)).toEqual(Array.from({ length: 3 }, () => 'LICENSE_ALREADY_RENEWED'));
  expect(await balanceOf(api, token, world.walletId)).toBe(balance - 1000n);
  await expectInvariants(api.db);
});

test('not yours, not allowed', async () => {
  api.setNow(start);
  const licenseId = await bought();
  const theirs = await newBusiness(api);
  expect(codes(await renew({ licenseId }, theirs.live))).toEqual(['LICENSE_NOT_FOUND']);
  expect(codes(await renew({ licenseId }, business.test))).toEqual(['MODE_MISMATCH']);
  const writer = await newApiKey(api, token, ['LICENSES_WRITE']);
  const session = await newSession(api, token, world.customerId);
  const input = { licenseId, walletId: world.walletId };
  for (const caller of [writer, session, await newApiKey(api, token, ['PURCHASES_WRITE'])]) {
    const answer = await api.call({ token: caller, query, variables: { input } });
    expect(answer.errors?.[0]?.extensions.code).toBe('FORBIDDEN');
  }
  expect((await seen(licenseId)).renewal).toBe(null);
});

test('another duration is charged at its own price', async () => {
  api.setNow(start);
  const licenseId = await bought();
  const subscriptionTypeId = await newSubscriptionType(api, token, { days: 90 });
  await newPackagePrice(api, token, { packageId: world.packageId, subscriptionTypeId, amount: '25.00' });
  const { license, order } = await renew({ licenseId, subscriptionTypeId, walletId: world.walletId });
  expect([license.validUntil, order.total.amount]).toEqual([after(120), '25.00']);
});
