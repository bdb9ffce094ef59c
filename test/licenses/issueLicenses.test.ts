import { expect, test } from '@jest/globals';
import { readConfig } from '../../src/config.js';
import { entitlementsOfOffering } from '../../src/entitlements/entitlementsOf.js';
import type { RequestContext } from '../../src/kernel/requestContext.js';
import { globalId } from '../../src/kernel/id.js';
import { inSqlTransaction } from '../../src/kernel/transaction.js';
import { keyringOf } from '../../src/keyring.js';
import { licenseKeyTaken } from '../../src/licenseKeys/licenseKey.js';
import { issueLicenses, type IssueOptions } from '../../src/licenses/issueLicenses.js';
import { testEnvironment, useApi } from '../support/api.js';
import { newBusiness, newCustomer } from '../support/business.js';
import { attachEntitlement, newProductOffering } from '../support/catalog.js';
import { rowId, rowsOf } from '../support/licenses.js';

const api = useApi();

const now = new Date('2026-03-01T10:00:00.000Z');

type Issue = Pick<IssueOptions, 'suppliedKey' | 'generateKeys'> & { count?: number };

/** An offering with entitlements in these modes, and a function that issues licenses of it as a purchase does. */
async function seller(modes: ('AUTO' | 'MANUAL')[]) {
  const business = await newBusiness(api);
  const { live } = business;
  const productOfferingId = await newProductOffering(api, live);
  for (const fulfillmentMode of modes) {
    await attachEntitlement(api, live, { target: { productOfferingId }, licenseKey: { fulfillmentMode } });
  }
  const customer = { id: rowId(await newCustomer(api, live)), email: 'erika@example.com' };
  const ctx = {
    db: api.db,
    viewer: { principal: 'SYSTEM', businessId: rowId(business.id), mode: 'LIVE', brandId: null },
    now,
    requestId: 'test',
    actor: null,
    keyring: keyringOf(readConfig(testEnvironment)),
    guesses: null,
    idempotency: null,
  } as unknown as RequestContext;
  let statements = 0;
  const issue = ({ count = 1, ...options }: Issue) =>
    inSqlTransaction(
      ctx,
      async (tx) => {
        const entitlements = await entitlementsOfOffering(tx, rowId(productOfferingId));
        const license = {
          customerId: customer.id,
          type: 'standard',
          productOfferingId: rowId(productOfferingId),
          packageId: null,
          subscriptionTypeId: null,
          orderId: null,
          validFrom: new Date('2026-02-01T00:00:00.000Z'),
          validUntil: new Date('2026-05-01T00:00:00.000Z'),
          assignedTo: null,
          details: null,
          amountMinor: 1990n,
          currency: 'USD',
          description: 'Seats',
          tags: ['a', 'b'],
          metadata: {},
        };
        const counted: typeof tx = { ...tx, sql: (...query) => (statements++, tx.sql(...query)) };
        const ids = await issueLicenses(counted, Array<typeof license>(count).fill(license), {
          customer,
          entitlements,
          ...options,
        });
        return { ids: ids.map(({ id }) => globalId('License', id)) };
      },
      licenseKeyTaken(['input', 'code']),
    );
  return { live, issue, statements: () => statements };
}

async function read(token: string, ids: string[]) {
  const query = `query ($ids: [ID!]!) { nodes(ids: $ids) { ... on License {
    status activatedAt validFrom validUntil isPermanent amount { amount currencyCode } description tags
    licenseKeys { key source } grants { status fulfillmentMode licenseKey { source } deliveries { status } } } } }`;
  api.setNow(now);
  const { nodes } = await api.data({ token, query, variables: { ids } });
  api.setNow(null);
  return nodes;
}

test('a license whose start has passed is active since now, with all that it was given', async () => {
  const { live, issue } = await seller([]);
  const { ids } = await issue({ suppliedKey: null, generateKeys: false });
  const [license] = await read(live, ids);
  expect(license).toEqual({
    status: 'ACTIVE',
    activatedAt: '2026-03-01T10:00:00.000Z',
    validFrom: '2026-02-01T00:00:00.000Z',
    validUntil: '2026-05-01T00:00:00.000Z',
    isPermanent: false,
    amount: { amount: '19.90', currencyCode: 'USD' },
    description: 'Seats',
    tags: ['a', 'b'],
    licenseKeys: [],
    grants: [],
  });
});

test('without a license-key entitlement each license gets a generated key of its own, in two round trips for all', async () => {
  const { live, issue, statements } = await seller([]);
  const { ids } = await issue({ suppliedKey: null, generateKeys: true, count: 5 });
  const licenses = await read(live, ids);
  expect(new Set(licenses.map((license: any) => license.licenseKeys[0].key)).size).toBe(5);
  for (const { licenseKeys, grants } of licenses) {
    expect([licenseKeys, grants]).toEqual([[{ key: expect.stringMatching(/^(\w{5}-){4}\w{5}$/), source: 'AUTO' }], []]);
  }
  // The numbers, and the pattern of the product's keys.
  expect(statements()).toBe(2);
});

test('an entitlement’s key takes the place of a generated one: AUTO at once, one for each seat; MANUAL waits', async () => {
  const { live, issue } = await seller(['AUTO', 'MANUAL']);
  const { ids } = await issue({ suppliedKey: null, generateKeys: true, count: 3 });
  for (const { licenseKeys, grants } of await read(live, ids)) {
    expect(licenseKeys).toEqual([{ key: expect.any(String), source: 'AUTO' }]);
    expect(grants).toHaveLength(2);
    expect(grants).toEqual(
      expect.arrayContaining([
        {
          status: 'DELIVERED',
          fulfillmentMode: 'AUTO',
          licenseKey: { source: 'AUTO' },
          deliveries: [{ status: 'QUEUED' }],
        },
        { status: 'PENDING', fulfillmentMode: 'MANUAL', licenseKey: null, deliveries: [] },
      ]),
    );
  }
});

test('a supplied key fulfils the first license-key grant, whatever its mode, and is mailed', async () => {
  for (const mode of ['AUTO', 'MANUAL'] as const) {
    const { live, issue } = await seller([mode]);
    const { ids } = await issue({ suppliedKey: 'BUYERS-OWN', generateKeys: true });
    const [{ licenseKeys, grants }] = await read(live, ids);
    expect(licenseKeys).toEqual([{ key: 'BUYERS-OWN', source: 'SUPPLIED' }]);
    expect(grants).toEqual([
      {
        status: 'DELIVERED',
        fulfillmentMode: mode,
        licenseKey: { source: 'SUPPLIED' },
        deliveries: [{ status: 'QUEUED' }],
      },
    ]);
  }
});

test('a supplied key serves one grant; a second AUTO grant generates its own', async () => {
  const { live, issue } = await seller(['AUTO', 'AUTO']);
  const { ids } = await issue({ suppliedKey: 'BUYERS-OWN', generateKeys: true });
  const [{ licenseKeys, grants }] = await read(live, ids);
  expect(licenseKeys.map(({ source }: { source: string }) => source).sort()).toEqual(['AUTO', 'SUPPLIED']);
  expect(grants.map(({ status }: { status: string }) => status)).toEqual(['DELIVERED', 'DELIVERED']);
});

test('a supplied key without an entitlement hangs on the license alone; the same key again is refused with everything', async () => {
  const { live, issue } = await seller([]);
  const { ids } = await issue({ suppliedKey: 'BUYERS-OWN', generateKeys: true });
  const [{ licenseKeys, grants }] = await read(live, ids);
  expect([licenseKeys, grants]).toEqual([[{ key: 'BUYERS-OWN', source: 'SUPPLIED' }], []]);
  const before = await rowsOf(api);
  const again = issue({ suppliedKey: 'buyers own', generateKeys: true });
  await expect(again).rejects.toMatchObject({ errors: [{ code: 'LICENSE_KEY_TAKEN', path: ['input', 'code'] }] });
  expect(await rowsOf(api)).toBe(before);
});
