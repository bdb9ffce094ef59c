import { expect, test } from '@jest/globals';
import type { Delivery, Grant, Order } from '../../src/generated/prisma/client.js';
import { licenseKeyMail } from '../../src/grants/licenseKeyMail.js';
import { paymentIdOf, whyNotFulfillable } from '../../src/grants/grant.js';
import { globalId, newId } from '../../src/kernel/id.js';
import { columnsOf } from '../../src/kernel/rows.js';
import { readConfig } from '../../src/config.js';
import { keyringOf } from '../../src/keyring.js';
import { testEnvironment, useApi } from '../support/api.js';
import { newApiKey, newBusiness, newCustomer, newSession } from '../support/business.js';
import { newEntitlement } from '../support/catalog.js';
import { newGrant, newLicense, newPendingGrant, rowId } from '../support/licenses.js';

const api = useApi();

const queue = `query ($where: PendingGrantWhere, $orderBy: PendingGrantOrder, $first: Int, $after: String, $last: Int) {
  pendingGrants(where: $where, orderBy: $orderBy, first: $first, after: $after, last: $last) {
    nodes { id } totalCount pageInfo { hasNextPage endCursor } } }`;

async function pending(token: string, variables: Record<string, unknown> = {}): Promise<string[]> {
  const { pendingGrants } = await api.data({ token, query: queue, variables });
  return pendingGrants.nodes.map((node: { id: string }) => node.id);
}

test('the desk sees only manual grants that wait, by age or by due time, what is never due last', async () => {
  const { live } = await newBusiness(api);
  api.setNow('2026-03-01T10:00:00.000Z');
  const slow = await newPendingGrant(api, live, { licenseKey: { fulfillWithinHours: 48 } });
  const never = await newPendingGrant(api, live);
  await api.db.sql(null, 'UPDATE grants SET due_at = NULL WHERE id = $1', [rowId(never)]);
  api.setNow('2026-03-01T11:00:00.000Z');
  const urgent = await newPendingGrant(api, live, { licenseKey: { fulfillWithinHours: 1 } });
  const failed = await newPendingGrant(api, live);
  await api.db.sql(null, `UPDATE grants SET status = 'FAILED', error_code = 'x' WHERE id = $1`, [rowId(failed)]);
  await newGrant(api, live);
  api.setNow(null);
  expect(await pending(live)).toEqual([slow, never, urgent]);
  expect(await pending(live, { orderBy: { direction: 'DESC' } })).toEqual([urgent, never, slow]);
  const byDue = { orderBy: { field: 'DUE_AT', direction: 'ASC' } };
  expect(await pending(live, byDue)).toEqual([urgent, slow, never]);
  expect(await pending(live, { ...byDue, last: 1 })).toEqual([never]);
  expect(await pending(live, { where: { dueAt: { lt: '2026-03-02' } } })).toEqual([urgent]);
  const pages: string[] = [];
  for (let after: string | null = null, more = true; more;) {
    const { pendingGrants } = await api.data({ token: live, query: queue, variables: { ...byDue, first: 1, after } });
    expect(pendingGrants.totalCount).toBe(3);
    pages.push(pendingGrants.nodes[0].id);
    after = pendingGrants.pageInfo.endCursor;
    more = pendingGrants.pageInfo.hasNextPage;
  }
  expect(pages).toEqual([urgent, slow, never]);
});

test('the desk filters by entitlement, customer and live claim', async () => {
  const { live } = await newBusiness(api);
  api.setNow('2026-03-01T10:00:00.000Z');
  const customerId = await newCustomer(api, live);
  const entitlementId = await newEntitlement(api, live, { licenseKey: { fulfillmentMode: 'MANUAL' } });
  const one = await newPendingGrant(api, live, { customerId, entitlementId });
  const two = await newPendingGrant(api, live, { customerId });
  const three = await newPendingGrant(api, live);
  const claim = `mutation ($input: ClaimGrantInput!) { claimGrant(input: $input) { userErrors { message } } }`;
  const headers = { 'x-actor': 'Ann' };
  await api.data({ token: live, query: claim, variables: { input: { grantId: two } }, headers });
  expect(await pending(live, { where: { customerId: { in: [customerId] } } })).toEqual([one, two]);
  expect(await pending(live, { where: { entitlementId: { in: [entitlementId] } } })).toEqual([one]);
  expect(await pending(live, { where: { isClaimed: true } })).toEqual([two]);
  expect(await pending(live, { where: { isClaimed: false } })).toEqual([one, three]);
  api.setNow('2026-03-01T10:15:00.000Z');
  expect(await pending(live, { where: { isClaimed: true } })).toEqual([]);
  expect(await pending(live, { where: { isClaimed: false } })).toEqual([one, two, three]);
  api.setNow(null);
});

test('grants are found by every filter; foreign ones by none', async () => {
  const [mine, theirs] = [await newBusiness(api), await newBusiness(api)];
  const customerId = await newCustomer(api, mine.live);
  const licenseId = await newLicense(api, mine.live, { customerId });
  const entitlementId = await newEntitlement(api, mine.live);
  const id = await newGrant(api, mine.live, { customerId, licenseId, entitlementId, metadata: { a: 'x' } });
  const other = await newPendingGrant(api, mine.live);
  const query = 'query ($where: GrantWhere) { grants(where: $where) { nodes { id } totalCount } }';
  const found = async (token: string, where: object) => {
    const { grants } = await api.data({ token, query, variables: { where } });
    return [grants.totalCount, ...grants.nodes.map((node: { id: string }) => node.id)];
  };
  for (const where of [
    { id: { in: [id] } },
    { customerId: { in: [customerId] } },
    { entitlementId: { in: [entitlementId] } },
    { licenseId: { in: [licenseId] } },
    { status: { in: ['DELIVERED', 'REVOKED'] } },
    { createdAt: { gte: '2000-01-01' }, metadata: { key: 'a', eq: 'x' } },
  ]) {
    expect([where, await found(mine.live, where)]).toEqual([where, [1, id]]);
    for (const token of [theirs.live, mine.test]) expect(await found(token, where)).toEqual([0]);
  }
  expect(await found(mine.live, {})).toEqual([2, other, id]);
  const one = 'query ($id: ID!) { grant(id: $id) { id } node(id: $id) { id } }';
  for (const token of [theirs.live, mine.test]) {
    expect(await api.data({ token, query: one, variables: { id } })).toEqual({ grant: null, node: null });
  }
  expect(await api.data({ token: mine.live, query: one, variables: { id } })).toEqual({ grant: { id }, node: { id } });
});

test('a session sees its own grants but not the desk; a narrow key sees no key and no license', async () => {
  const { live } = await newBusiness(api);
  const customerId = await newCustomer(api, live);
  const own = await newGrant(api, live, { customerId });
  const other = await newGrant(api, live);
  const session = await newSession(api, live, customerId);
  const query = `query ($own: ID!, $other: ID!) {
    own: grant(id: $own) { licenseKey { key } } other: grant(id: $other) { id } grants { nodes { id } } }`;
  expect(await api.data({ token: session, query, variables: { own, other } })).toEqual({
    own: { licenseKey: { key: expect.stringMatching(/^(\w{5}-){4}\w{5}$/) } },
    other: null,
    grants: { nodes: [{ id: own }] },
  });
  const denied = await api.call({ token: session, query: '{ pendingGrants { nodes { id } } }' });
  expect(denied.errors?.map(({ extensions }) => extensions.code)).toEqual(['FORBIDDEN']);
  const narrow = await newApiKey(api, live, ['GRANTS_READ']);
  const answer = await api.call({
    token: narrow,
    query:
      'query ($id: ID!) { grant(id: $id) { status licenseKey { key } license { id } order { id } deliveries { status } } }',
    variables: { id: own },
  });
  expect(answer.data.grant).toEqual({
    status: 'DELIVERED',
    licenseKey: null,
    license: null,
    order: null,
    deliveries: [{ status: 'FAILED' }],
  });
  expect(answer.errors?.map(({ extensions }) => extensions.code)).toEqual(['FORBIDDEN', 'FORBIDDEN', 'FORBIDDEN']);
});

test('the mail about a key says what the template needs', async () => {
  const { live } = await newBusiness(api);
  const customerId = await newCustomer(api, live, { companyName: 'Muster GmbH', email: 'a@example.com' });
  api.setNow('2026-03-01T10:00:00.000Z');
  const licenseKey = { activationsLimit: 2, duration: { count: 1, unit: 'YEAR' }, activationMessage: 'Type it in.' };
  const entitlementId = await newEntitlement(api, live, {
    name: 'Studio Pro',
    licenseKey: { ...licenseKey, fulfillmentMode: 'MANUAL' },
  });
  const grantId = await newPendingGrant(api, live, { customerId, entitlementId });
  const fulfill = `mutation ($input: FulfillLicenseKeyGrantInput!) { fulfillLicenseKeyGrant(input: $input) { grant { licenseKey { id } } userErrors { message } } }`;
  await api.data({ token: live, query: fulfill, variables: { input: { grantId, key: 'MAIL-ME-1' } } });
  api.setNow(null);
  const [delivery] = await api.db.sql<Delivery>(
    null,
    `SELECT ${columnsOf('Delivery')} FROM deliveries WHERE grant_id = $1`,
    [rowId(grantId)],
  );
  const keyring = keyringOf(readConfig(testEnvironment));
  expect(await licenseKeyMail(api.db, keyring, delivery as Delivery, new Date())).toEqual({
    customerName: 'Muster GmbH',
    brandName: 'Acme Software',
    productName: 'Studio Pro',
    key: 'MAIL-ME-1',
    activationsLimit: 2,
    expiresAt: new Date('2027-03-01T10:00:00.000Z'),
    activationMessage: 'Type it in.',
  });
  const lost = { ...(delivery as Delivery), grantId: newId() };
  expect(await licenseKeyMail(api.db, keyring, lost, new Date())).toBeNull();
});

test('refusals to fulfil come in their order, and other kinds of grants are told first', () => {
  const context = { now: new Date('2026-03-01T10:00:00Z'), actor: 'Bob' };
  const waiting = {
    integrationType: 'LICENSE_KEY',
    fulfillmentMode: 'MANUAL',
    status: 'PENDING',
    licenseKeyId: null,
    claimedBy: null,
    claimedUntil: null,
  } as Grant;
  const claimed = { claimedBy: 'Ann', claimedUntil: new Date('2026-03-01T10:00:00.001Z') };
  const code = (change: object) => whyNotFulfillable({ ...waiting, ...change }, context)?.code ?? null;
  const worst = { integrationType: 'GITHUB', fulfillmentMode: null, status: 'REVOKED', licenseKeyId: 'k', ...claimed };
  expect([
    code(worst),
    code({ ...worst, integrationType: 'LICENSE_KEY' }),
    code({ ...worst, integrationType: 'LICENSE_KEY', fulfillmentMode: 'MANUAL' }),
    code({ licenseKeyId: 'k', ...claimed }),
    code(claimed),
    code({ ...claimed, claimedBy: 'Bob' }),
    code({ ...claimed, claimedUntil: context.now }),
    code({}),
  ]).toEqual([
    'NOT_A_LICENSE_KEY_GRANT',
    'NOT_MANUAL_FULFILLMENT',
    'GRANT_NOT_PENDING',
    'GRANT_HAS_KEY',
    'GRANT_CLAIMED',
    null,
    null,
    null,
  ]);
});

test('the payment behind a grant is what was said, else the order’s reference, else its ledger transaction', () => {
  const ledgerTransactionId = newId();
  const order = { paymentReference: 'ext', ledgerTransactionId } as Order;
  const said = (paymentId: string | null) => ({ paymentId }) as Grant;
  expect([
    paymentIdOf(said('own'), order),
    paymentIdOf(said(null), order),
    paymentIdOf(said(null), { ...order, paymentReference: null }),
    paymentIdOf(said(null), { ...order, paymentReference: null, ledgerTransactionId: null }),
    paymentIdOf(said(null), null),
  ]).toEqual(['own', 'ext', globalId('LedgerTransaction', ledgerTransactionId), null, null]);
});
