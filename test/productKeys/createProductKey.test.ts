import { expect, test } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import { useApi } from '../support/api.js';
import { newApiKey, newBusiness, newCustomer, newOrganization, newSession } from '../support/business.js';
import { newProduct } from '../support/catalog.js';
import { rowId } from '../support/licenses.js';
import { callProductKey, newApplication, newProductKey, productKeyInput } from '../support/productKeys.js';

const api = useApi();
const NOW = '2026-03-01T12:00:00.000Z';

const everything = `{ id number status valid description owner { id name email firstName lastName companyName organization { name } }
  providerOrganization { id } organization { id } products { id } key maskedKey last4 graceUntil start trialEndsAt expiration
  disabledAt disabledBy disabledReason cancelAt cancelledAt quota consumedQuota remainingQuota overage overQuota
  quotaNotificationThreshold quotaPeriod quotaAnchor quotaPeriodStart quotaPeriodEnd applications { id name externalId }
  applicationExternalId externalQuoteId notifyCreatorOnCreation notificationAddressesOnCreation notifyOwnerOnQuotaThreshold
  notificationAddressesOnQuotaThreshold notifyOnTrialExpiry disableOnPaymentFailed allowMidPeriodCancellation namedConsumers
  namedOrganizations { id } dataProviderConfigurationId tags payments { result } deliveries { recipient template status failure }
  testMode metadata version createdAt updatedAt history { nodes { type sequence } } }`;

async function create(token: string, input: Record<string, unknown>, headers: Record<string, string> = {}) {
  const query = `mutation ($input: CreateProductKeyInput!) { createProductKey(input: $input) {
    productKey ${everything} userErrors { __typename code path message } } }`;
  const answer = await api.call({ token, query, variables: { input }, headers });
  if (answer.errors) throw new Error(JSON.stringify(answer.errors));
  return answer.data.createProductKey;
}

const refusalsOf = (payload: any) =>
  payload.userErrors.map(({ code, path }: { code: string; path: string[] }) => `${code} ${path.slice(1).join('.')}`);

async function countRows(): Promise<number> {
  const tables = ['product_keys', 'product_key_meters', 'product_key_lookups', 'product_key_products', 'customers'];
  const more = ['product_key_addresses', 'product_key_organizations', 'applications', 'deliveries', 'changes'];
  const parts = [...tables, ...more].map((table) => `SELECT count(*) AS n FROM ${table}`);
  const [row] = await api.db.sql<{ n: number }>(
    null,
    `SELECT sum(n)::int AS n FROM (${parts.join(' UNION ALL ')}) c`,
    [],
  );
  return row?.n ?? -1;
}

/** A business with what a product key can name. */
async function newStage() {
  const { live, ...business } = await newBusiness(api);
  const provider = await newOrganization(api, live, { name: 'Provider' });
  const organization = await newOrganization(api, live);
  const productId = await newProduct(api, live, {
    quotaPeriod: 'MONTH',
    quotaAnchor: 'CALENDAR',
    overQuota: 'METER',
    trialDays: 14,
  });
  return { ...business, live, provider, organization, productId, applicationId: await newApplication(api, live) };
}

test('every field comes back as it was given, and keys are found by it', async () => {
  api.setNow(NOW);
  const stage = await newStage();
  const { live, provider, organization, productId, applicationId } = stage;
  const key = randomUUID();
  const start = Date.parse('2026-03-02T00:00:00Z');
  const input = {
    providerOrganizationId: provider,
    organizationId: organization,
    productIds: [productId, productId],
    description: ' Studio API ',
    valid: true,
    owner: null,
    key,
    slaDefinitionIds: [],
    pricingRuleIds: [],
    expiration: String(Date.parse('2027-03-02T00:00:00Z')),
    clientEmailAddress: 'Client@Example.com',
    externalQuoteId: 'Q-4711',
    quota: '100',
    consumedQuota: '130',
    quotaNotificationThreshold: 80.5,
    applications: [applicationId],
    notifyCreatorOnCreation: true,
    notificationAddressesOnCreation: ['ops@example.com', 'OPS@example.com', 'creator@vendor.example'],
    notifyOwnerOnQuotaThreshold: true,
    notificationAddressesOnQuotaThreshold: ['quota@example.com'],
    applicationExternalId: 'gateway-7',
    disableOnPaymentFailed: true,
    companyName: 'Muster KG',
    namedConsumers: ['A@example.com', 'b@example.com'],
    namedOrganizations: [organization],
    dataProviderConfigurationId: 'dp-1',
    allowMidPeriodCancellation: true,
    notifyOnTrialExpiry: true,
    clientFirstName: 'Erika',
    tags: ['gold', 'api'],
    clientLastName: 'Mustermann',
    start,
    metadata: { a: 1 },
  };
  const { productKey, userErrors } = await create(live, input, { 'x-actor': 'creator@vendor.example' });
  expect(userErrors).toEqual([]);
  const shown: [field: string, shows: unknown, as: unknown][] = [
    ['providerOrganizationId', productKey.providerOrganization, { id: provider }],
    ['organizationId', productKey.organization, { id: organization }],
    ['productIds', productKey.products, [{ id: productId }]],
    ['description', productKey.description, 'Studio API'],
    ['valid: what has not started is not', [productKey.status, productKey.valid], ['SCHEDULED', false]],
    ['owner: none given, so one is made', productKey.owner.id, expect.stringMatching(/^cus_/)],
    ['key', [productKey.key, productKey.maskedKey, productKey.last4], [key, `********${key.slice(-4)}`, key.slice(-4)]],
    ['expiration, in milliseconds', productKey.expiration, '2027-03-02T00:00:00.000Z'],
    ['clientEmailAddress', productKey.owner.email, 'Client@Example.com'],
    ['externalQuoteId', productKey.externalQuoteId, 'Q-4711'],
    ['quota', [productKey.quota, productKey.remainingQuota, productKey.overage], ['100', '0', '30']],
    ['consumedQuota', productKey.consumedQuota, '130'],
    ['quotaNotificationThreshold', productKey.quotaNotificationThreshold, '80.5'],
    [
      'applications, applicationExternalId',
      productKey.applications.map(({ name, externalId }: any) => [name, externalId]),
      [
        ['Gateway', null],
        ['gateway-7', 'gateway-7'],
      ],
    ],
    [
      'notifyCreatorOnCreation, notificationAddressesOnCreation',
      productKey.deliveries.map(({ recipient, template, status }: any) => [recipient, template, status]).sort(),
      [
        ['creator@vendor.example', 'product-key-created', 'QUEUED'],
        ['ops@example.com', 'product-key-created', 'QUEUED'],
      ],
    ],
    ['notifyOwnerOnQuotaThreshold', productKey.notifyOwnerOnQuotaThreshold, true],
    ['notificationAddressesOnQuotaThreshold', productKey.notificationAddressesOnQuotaThreshold, ['quota@example.com']],
    ['disableOnPaymentFailed', productKey.disableOnPaymentFailed, true],
    ['companyName', [productKey.owner.companyName, productKey.owner.name], ['Muster KG', 'Muster KG']],
    ['namedConsumers', productKey.namedConsumers, ['A@example.com', 'b@example.com']],
    ['namedOrganizations', productKey.namedOrganizations, [{ id: organization }]],
    ['dataProviderConfigurationId', productKey.dataProviderConfigurationId, 'dp-1'],
    ['allowMidPeriodCancellation', productKey.allowMidPeriodCancellation, true],
    ['notifyOnTrialExpiry', productKey.notifyOnTrialExpiry, true],
    [
      'clientFirstName, clientLastName',
      [productKey.owner.firstName, productKey.owner.lastName],
      ['Erika', 'Mustermann'],
    ],
    ['tags', productKey.tags, ['gold', 'api']],
    ['start, in milliseconds', productKey.start, '2026-03-02T00:00:00.000Z'],
    ['the product: trial', productKey.trialEndsAt, '2026-03-16T00:00:00.000Z'],
    [
      'the product: quota',
      [productKey.overQuota, productKey.quotaPeriod, productKey.quotaAnchor, productKey.quotaPeriodStart],
      ['METER', 'MONTH', 'CALENDAR', '2026-03-02T00:00:00.000Z'],
    ],
    ['the calendar', productKey.quotaPeriodEnd, '2026-04-01T00:00:00.000Z'],
    ['organizationId: the account joins it', productKey.owner.organization, { name: 'Muster GmbH' }],
    ['number', productKey.number, expect.stringMatching(/^P\d{9}$/)],
    [
      'the rest',
      [productKey.testMode, productKey.metadata, productKey.createdAt, productKey.updatedAt],
      [false, { a: 1 }, NOW, NOW],
    ],
    [
      'nothing happened yet',
      [productKey.payments, productKey.graceUntil, productKey.cancelAt, productKey.cancelledAt],
      [[], null, null, null],
    ],
    [
      'nobody disabled it',
      [productKey.disabledAt, productKey.disabledBy, productKey.disabledReason],
      [null, null, null],
    ],
  ];
  for (const [field, shows, as] of shown) expect([field, shows]).toEqual([field, as]);
  const [stored] = await api.db.sql<{ text: string }>(
    null,
    `SELECT coalesce(string_agg(row, ''), '') AS text FROM (SELECT to_jsonb(k)::text AS row FROM product_keys k
      UNION ALL SELECT to_jsonb(l)::text FROM product_key_lookups l UNION ALL SELECT to_jsonb(c)::text FROM changes c) r`,
    [],
  );
  for (const secret of [key, 'ops@example.com', 'b@example.com']) expect(stored?.text).not.toContain(secret);
  const list = async (where: string) =>
    (await api.data({ token: live, query: `{ productKeys(${where}) { totalCount } }` })).productKeys.totalCount;
  for (const found of [
    'where: { externalQuoteId: { in: ["Q-4711"] } }',
    'where: { applicationExternalId: { in: ["gateway-7"] } }',
    'where: { dataProviderConfigurationId: { in: ["dp-1"] } }',
    'where: { tag: { in: ["gold"] } }',
    `where: { key: "${key.toUpperCase().replaceAll('-', '')}" }`,
    `where: { providerOrganizationId: { in: ["${provider}"] }, organizationId: { in: ["${organization}"] } }`,
    `where: { productId: { in: ["${productId}"] }, ownerId: { in: ["${productKey.owner.id}"] } }`,
    'where: { status: { in: [SCHEDULED] }, expiration: { lt: "2028-01-01" }, metadata: { key: "a", eq: "1" } }',
    'search: "q-47", orderBy: { field: EXPIRATION }',
    'search: "GATEWAY-7", orderBy: { field: START, direction: ASC }',
    `where: { number: { in: ["${productKey.number}"] }, id: { in: ["${productKey.id}"] } }`,
  ])
    expect([found, await list(found)]).toEqual([found, 1]);
  for (const none of ['where: { status: { in: [ACTIVE, TRIALING] } }', 'search: "q-48"', 'where: { key: "x" }'])
    expect([none, await list(none)]).toEqual([none, 0]);
  api.setNow(null);
});

test('lists may be empty, an owner may be found or named, and a key is generated', async () => {
  const { live } = await newBusiness(api);
  const customerId = await newCustomer(api, live, { email: 'erika@example.com', firstName: 'Erika' });
  const found = await create(
    live,
    await productKeyInput(api, live, { clientEmailAddress: 'ERIKA@example.com', clientFirstName: 'X' }),
  );
  const named = await create(
    live,
    await productKeyInput(api, live, { owner: customerId, clientEmailAddress: '', valid: false }),
  );
  expect([found.productKey.owner.id, found.productKey.owner.firstName]).toEqual([customerId, 'Erika']);
  expect([named.productKey.owner.id, named.productKey.status, named.productKey.valid]).toEqual([
    customerId,
    'DISABLED',
    false,
  ]);
  expect([named.productKey.disabledBy, found.productKey.status, found.productKey.valid]).toEqual([
    'MANUAL',
    'ACTIVE',
    true,
  ]);
  expect(found.productKey.key).toMatch(/^[0-9A-F]{8}(-[0-9A-F]{4}){3}-[0-9A-F]{12}$/);
  expect([found.productKey.quota, found.productKey.quotaPeriodEnd, found.productKey.deliveries]).toEqual([
    null,
    null,
    [],
  ]);
  const byNumber = await api.data({
    token: live,
    query: 'query ($number: String) { productKey(number: $number) { id } }',
    variables: { number: found.productKey.number },
  });
  expect(byNumber.productKey).toEqual({ id: found.productKey.id });
  const both = await api.call({ token: live, query: '{ productKey { id } }' });
  expect(both.errors?.[0]?.extensions.code).toBe('BAD_USER_INPUT');
  const silent = await create(live, await productKeyInput(api, live, { notifyCreatorOnCreation: true }));
  expect(silent.productKey.deliveries).toEqual([
    { recipient: null, template: 'product-key-created', status: 'FAILED', failure: 'NO_ADDRESS' },
  ]);
  const used = await create(live, await productKeyInput(api, live, { quota: '5', consumedQuota: '5' }));
  expect([used.productKey.status, used.productKey.valid]).toEqual(['ACTIVE', false]);
});

test('what is wrong is refused all at once, by field, and nothing is made', async () => {
  const { live } = await newBusiness(api);
  const archived = await newApplication(api, live);
  const query =
    'mutation ($input: ArchiveApplicationInput!) { archiveApplication(input: $input) { userErrors { code } } }';
  await api.data({ token: live, query, variables: { input: { applicationId: archived } } });
  const hidden = await newProduct(api, live, { published: false });
  const taken = randomUUID();
  await newProductKey(api, live, { key: taken });
  const sound = await productKeyInput(api, live);
  const before = await countRows();
  const refused = async (fields: Record<string, unknown>) => refusalsOf(await create(live, { ...sound, ...fields }));
  expect(
    await refused({
      productIds: [],
      description: ' ',
      key: 'not a guid',
      expiration: 86_400_000,
      clientEmailAddress: 'nobody',
      clientFirstName: 'x'.repeat(256),
      externalQuoteId: 'x'.repeat(256),
      quota: '-1',
      consumedQuota: '-1',
      quotaNotificationThreshold: '100.001',
      notificationAddressesOnCreation: ['a@example.com', 'b'],
      notificationAddressesOnQuotaThreshold: ['c'],
      namedConsumers: ['d'],
      tags: ['x'.repeat(65)],
    }),
  ).toEqual([
    'INVALID_INPUT description',
    'INVALID_INPUT externalQuoteId',
    'INVALID_INPUT productIds',
    'INVALID_INPUT quota',
    'INVALID_INPUT quotaNotificationThreshold',
    'INVALID_INPUT notificationAddressesOnCreation.1',
    'INVALID_INPUT notificationAddressesOnQuotaThreshold.0',
    'INVALID_INPUT namedConsumers.0',
    'INVALID_INPUT tags.0',
    'INVALID_INPUT key',
    'INVALID_EXPIRY expiration',
    'INVALID_INPUT consumedQuota',
    'INVALID_INPUT clientFirstName',
    'INVALID_INPUT clientEmailAddress',
  ]);
  expect(
    await refused({
      providerOrganizationId: 'org_x',
      organizationId: 'x',
      namedOrganizations: ['x'],
      productIds: ['prod_x', hidden],
      applications: ['x', archived],
      slaDefinitionIds: ['x'],
      pricingRuleIds: ['x'],
    }),
  ).toEqual([
    'ORGANIZATION_NOT_FOUND providerOrganizationId',
    'ORGANIZATION_NOT_FOUND organizationId',
    'ORGANIZATION_NOT_FOUND namedOrganizations.0',
    'PRODUCT_NOT_FOUND productIds.0',
    'PRODUCT_UNPUBLISHED productIds.1',
    'APPLICATION_NOT_FOUND applications.0',
    'APPLICATION_ARCHIVED applications.1',
    'SLA_DEFINITION_NOT_FOUND slaDefinitionIds.0',
    'PRICING_RULE_NOT_FOUND pricingRuleIds.0',
  ]);
  expect(await refused({ owner: 'cus_x' })).toEqual(['CUSTOMER_NOT_FOUND owner']);
  expect(await refused({ key: taken.toUpperCase() })).toEqual(['PRODUCT_KEY_TAKEN key']);
  const start = new Date(Date.now() + 86_400_000 * 10);
  expect(await refused({ start, expiration: new Date(start.getTime() - 1) })).toEqual(['INVALID_EXPIRY expiration']);
  for (const [field, value] of [
    ['start', '2026-02-30'],
    ['start', 1.5],
    ['expiration', '99999999999999999'],
  ]) {
    const call = {
      token: live,
      query: 'mutation ($input: CreateProductKeyInput!) { createProductKey(input: $input) { productKey { id } } }',
    };
    const answer = await api.call({ ...call, variables: { input: { ...sound, [field as string]: value } } });
    expect([field, answer.errors?.[0]?.extensions.code]).toEqual([field, 'BAD_USER_INPUT']);
  }
  expect(await countRows()).toBe(before);
});

test('at once: one account for one new address, one application, one key of a text', async () => {
  const { live } = await newBusiness(api);
  const base = await productKeyInput(api, live, { clientEmailAddress: 'new@example.com', applicationExternalId: 'gw' });
  const made = await Promise.all(Array.from({ length: 12 }, () => create(live, base)));
  expect(made.flatMap(refusalsOf)).toEqual([]);
  expect(new Set(made.map(({ productKey }) => productKey.owner.id)).size).toBe(1);
  expect(new Set(made.map(({ productKey }) => productKey.applications[0].id)).size).toBe(1);
  const key = randomUUID();
  const same = await Promise.all(Array.from({ length: 8 }, () => create(live, { ...base, key })));
  expect(same.flatMap(refusalsOf)).toEqual(Array(7).fill('PRODUCT_KEY_TAKEN key'));
  const again = await Promise.all(Array.from({ length: 8 }, () => create(live, { ...base, idempotencyKey: 'k' })));
  expect(new Set(again.map(({ productKey }) => productKey.id)).size).toBe(1);
});

test("another tenant's, the other mode's and another brand's objects are not to be named", async () => {
  const [mine, theirs] = [await newBusiness(api), await newBusiness(api)];
  const foreign = {
    owner: await newCustomer(api, theirs.live),
    organizationId: await newOrganization(api, theirs.live),
    productIds: [await newProduct(api, theirs.live)],
    applications: [await newApplication(api, theirs.live)],
  };
  const sound = await productKeyInput(api, mine.live);
  expect(refusalsOf(await create(mine.live, { ...sound, ...foreign }))).toEqual([
    'ORGANIZATION_NOT_FOUND organizationId',
    'PRODUCT_NOT_FOUND productIds.0',
    'APPLICATION_NOT_FOUND applications.0',
  ]);
  expect(refusalsOf(await create(mine.live, { ...sound, owner: foreign.owner }))).toEqual(['CUSTOMER_NOT_FOUND owner']);
  const owner = await newCustomer(api, mine.test);
  const organizationId = await newOrganization(api, mine.test);
  expect(refusalsOf(await create(mine.live, { ...sound, owner }))).toEqual(['MODE_MISMATCH owner']);
  expect(refusalsOf(await create(mine.live, { ...sound, organizationId }))).toEqual(['MODE_MISMATCH organizationId']);
  const url = `${randomUUID()}.example.com`;
  const brand = 'mutation ($input: CreateBrandInput!) { createBrand(input: $input) { userErrors { code } } }';
  await api.data({ token: mine.live, query: brand, variables: { input: { name: 'Second', url } } });
  const own = await newCustomer(api, mine.live);
  const elsewhere = await create(mine.live, { ...sound, owner: own }, { 'brand-url': url });
  expect(refusalsOf(elsewhere)).toEqual(['BRAND_MISMATCH owner']);
  const id = await newProductKey(api, mine.live, { owner: own });
  const other = await callProductKey(api, mine.live, 'disableProductKey', { productKeyId: id }, '', {
    'brand-url': url,
  });
  expect(refusalsOf(other)).toEqual(['BRAND_MISMATCH productKeyId']);
});

test("a key in full is for its owner's session and LICENSE_KEYS_REVEAL, and each reading is recorded", async () => {
  const { live } = await newBusiness(api);
  const customerId = await newCustomer(api, live);
  const id = await newProductKey(api, live, { owner: customerId });
  const other = await newProductKey(api, live);
  const session = await newSession(api, live, customerId);
  const query = '{ productKeys { nodes { id key version } } }';
  const own = await api.data({ token: session, query });
  expect(own.productKeys.nodes).toEqual([{ id, key: expect.stringMatching(/-/), version: 1 }]);
  const narrow = await newApiKey(api, live, ['PRODUCT_KEYS_READ']);
  const masked = await api.call({ token: narrow, query });
  expect([masked.data.productKeys.nodes.map(({ key }: any) => key), masked.errors?.length]).toEqual([[null, null], 1]);
  const rows = await api.db.sql<{ type: string }>(
    null,
    "SELECT type FROM changes WHERE type = 'product_key.revealed' AND object_id = ANY($1::uuid[])",
    [[rowId(id), rowId(other)]],
  );
  expect(rows).toHaveLength(1);
  const blind = await newApiKey(api, live, ['PRODUCT_KEYS_READ', 'LICENSE_KEYS_REVEAL']);
  const input = await productKeyInput(api, live);
  const answer = await api.call({
    token: blind,
    query: 'mutation ($input: CreateProductKeyInput!) { createProductKey(input: $input) { productKey { id } } }',
    variables: { input },
  });
  expect(answer.errors?.[0]?.extensions.code).toBe('FORBIDDEN');
});
