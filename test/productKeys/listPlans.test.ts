import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { isEnumType, isInputObjectType } from 'graphql';
import { Client } from 'pg';
import { readConfig } from '../../src/config.js';
import type { OrderDirection, ProductKeyOrderField, ProductKeyWhere } from '../../src/generated/graphql.js';
import { keyringOf } from '../../src/keyring.js';
import type { Database } from '../../src/kernel/database.js';
import { globalId, newId, type IdType } from '../../src/kernel/id.js';
import { listPage } from '../../src/kernel/page.js';
import type { RequestContext } from '../../src/kernel/requestContext.js';
import { keyHmacs } from '../../src/licenseKeys/keyHmacs.js';
import { productKeyList } from '../../src/productKeys/listProductKeys.js';
import { readContract } from '../../src/schema.js';
import { testEnvironment } from '../support/api.js';
import { cloneDatabase, type TestDatabase } from '../support/database.js';

const rows = process.env.DEEP ? 500_000 : 20_000;
const NOW = new Date('2026-12-01T12:00:00.000Z');
const keyring = keyringOf(readConfig(testEnvironment));
const businesses = Array.from({ length: 20 }, () => newId());
const tenant = { businessId: businesses[0]!, mode: 'LIVE' as const };

let clone: TestDatabase;
let client: Client;
let ids: Record<'product' | 'rareProduct' | 'customer' | 'organization' | 'provider' | 'key', string>;

/** Half of all keys are one business's. Values from common to rare, as `samples` asks for them. $1 rows, $2 businesses, $3 now. */
const load = `INSERT INTO product_keys (business_id, mode, id, number, status, customer_id, provider_organization_id, organization_id,
    description, key_ciphertext, last4, starts_at, trial_ends_at, trial_notice_at, expires_at, disabled_at, disabled_by, cancel_at,
    cancelled_at, external_quote_id, application_external_id, data_provider_configuration_id, notify_creator_on_creation,
    notify_owner_on_quota_threshold, notify_on_trial_expiry, disable_on_payment_failed, allow_mid_period_cancellation, tags, metadata,
    created_at, updated_at)
  SELECT ($2::uuid[])[business], 'LIVE', md5('key' || i)::uuid, 'P' || lpad(i::text, 9, '0'), status::product_key_status,
    md5('customer' || business || '.' || i % 400)::uuid, CASE WHEN i % 3 = 0 THEN md5('provider' || i % 30)::uuid END,
    CASE WHEN i % 4 = 0 THEN md5('organization' || i % 800)::uuid END, 'Plan ' || i % 90, '', 'ABCD', born + interval '1 hour' * (i % 900),
    CASE status WHEN 'TRIALING' THEN greatest(born + interval '1 hour' * (i % 900), $3) + interval '1 hour' * (1 + i % 400) END, NULL,
    CASE WHEN i % 7 > 1 THEN greatest(born + interval '2000 days', $3::timestamptz) + interval '1 hour' * (i % 900) END,
    CASE status WHEN 'DISABLED' THEN born END, CASE status WHEN 'DISABLED' THEN 'MANUAL'::product_key_disabling END,
    CASE WHEN status = 'CANCELLED' THEN born WHEN status = 'ACTIVE' AND i % 400 = 8 THEN $3::timestamptz - interval '1 minute' END,
    CASE status WHEN 'CANCELLED' THEN born END,
    CASE WHEN i % 2 = 0 THEN 'Q-' || i / 8 END, CASE WHEN i % 4 = 0 THEN 'gw-' || i % 1000 END, CASE WHEN i % 4 = 2 THEN 'dp-' || i % 1000 END,
    false, false, false, false, false,
    CASE WHEN i % 100 = 0 THEN ARRAY['vip', 'y' || i % 7] WHEN i % 3 = 0 THEN ARRAY['retail'] ELSE '{}' END,
    jsonb_build_object('tier', CASE WHEN i % 3 = 0 THEN 'gold' ELSE 'silver' END, 'region', 'r' || i % 500, 'ticket', i::text), born, born
  FROM (SELECT i, CASE WHEN i % 2 = 0 THEN 1 ELSE 2 + (i / 2) % 19 END AS business,
      CASE WHEN i > $1::int * 0.99 THEN 'TRIALING' WHEN i % 1500 = 10 THEN 'DISABLED' WHEN i % 8 = 6 THEN 'CANCELLED' ELSE 'ACTIVE' END AS status,
      date_trunc('second', $3::timestamptz - interval '1 day' * 1000 * (1 - i::float8 / $1::int)) AS born
    FROM generate_series(1, $1::int) AS i) made`;
const loadProducts = `INSERT INTO product_key_products (business_id, mode, product_key_id, product_id, position)
  SELECT business_id, mode, id, md5('product' || CASE WHEN number LIKE '%4000' THEN 'rare' ELSE right(number, 1) END)::uuid, 0 FROM product_keys`;
const loadApplications = `WITH made AS (INSERT INTO applications (business_id, mode, id, name, external_id, metadata, created_at, updated_at)
    SELECT $1, 'LIVE', md5('application' || i)::uuid, 'x', 'app-' || i, '{}', $2, $2 FROM generate_series(1, 500) AS i RETURNING 1)
  INSERT INTO product_key_applications (business_id, mode, product_key_id, application_id, position)
  SELECT business_id, mode, id, md5('application' || right(number, 3)::int % 500)::uuid, 0 FROM product_keys WHERE business_id = $1`;
const loadTexts = `INSERT INTO product_key_lookups (business_id, mode, key_hmac, hmac_key_id, product_key_id)
  SELECT business_id, mode, sha256(number::bytea), 'h1', id FROM product_keys WHERE number NOT LIKE '%000020'
  UNION ALL SELECT business_id, mode, $1, 'h1', id FROM product_keys WHERE number LIKE '%000020'`;

beforeAll(async () => {
  clone = await cloneDatabase();
  client = new Client({ connectionString: clone.url });
  await client.connect();
  await client.query("SET session_replication_role = 'replica'");
  await client.query(load, [rows, businesses, NOW]);
  await client.query(loadProducts);
  await client.query(loadApplications, [businesses[0], NOW]);
  await client.query(loadTexts, [keyHmacs(keyring, tenant, 'the one')[0]!.keyHmac]);
  for (const table of ['s', '_products', '_applications', '_lookups']) {
    await client.query(`VACUUM ANALYZE product_key${table}`);
  }
  await client.query('VACUUM ANALYZE applications');
  const md5 = (text: string) => `md5('${text}')::uuid`;
  const { rows: found } = await client.query<typeof ids>(
    `SELECT ${md5('product0')} AS product, ${md5('productrare')} AS "rareProduct", ${md5('customer1.8')} AS customer,
      ${md5('organization8')} AS organization, ${md5('provider6')} AS provider, ${md5('key4000')} AS key`,
  );
  ids = found[0]!;
}, 300_000);
afterAll(async () => {
  await client.end();
  await clone.drop();
});

const days = (count: number) => new Date(NOW.getTime() + count * 86_400_000);
const one = (type: IdType, id: string) => ({ in: [globalId(type, id)] });

/** What each filter is asked, from common to rare. A filter of the contract that is missing here fails a test. */
const samples: Record<keyof ProductKeyWhere, (() => ProductKeyWhere)[]> = {
  id: [() => ({ id: one('ProductKey', ids.key) })],
  number: [() => ({ number: { in: ['P000004000'] } })],
  status: (['ACTIVE', 'CANCELLED', 'TRIALING', 'DISABLED', 'SCHEDULED'] as const).map((status) => () => ({
    status: { in: [status] },
  })),
  ownerId: [() => ({ ownerId: one('Customer', ids.customer) })],
  productId: [
    () => ({ productId: one('Product', ids.product) }),
    () => ({ productId: one('Product', ids.rareProduct) }),
    () => ({ productId: one('Product', newId()) }),
  ],
  organizationId: [() => ({ organizationId: one('Organization', ids.organization) })],
  providerOrganizationId: [() => ({ providerOrganizationId: one('Organization', ids.provider) })],
  tag: ['retail', 'vip', 'unknown'].map((tag) => () => ({ tag: { in: [tag] } })),
  externalQuoteId: ['Q-500', 'unknown'].map((quote) => () => ({ externalQuoteId: { in: [quote] } })),
  applicationExternalId: ['gw-40', 'app-40', 'unknown'].map((id) => () => ({ applicationExternalId: { in: [id] } })),
  dataProviderConfigurationId: ['dp-2', 'unknown'].map((id) => () => ({ dataProviderConfigurationId: { in: [id] } })),
  key: ['the one', 'unknown'].map((key) => () => ({ key })),
  start: [() => ({ start: { gte: days(-30), lt: days(-29) } })],
  expiration: [() => ({ expiration: { gte: days(0), lt: days(1) } }), () => ({ expiration: { lt: days(-2000) } })],
  createdAt: [() => ({ createdAt: { gte: days(-30), lt: days(-29) } })],
  metadata: [
    () => ({ metadata: { key: 'tier', eq: 'gold' } }),
    () => ({ metadata: { key: 'region', eq: 'r44' } }),
    () => ({ metadata: { key: 'ticket', eq: '4000' } }),
  ],
};

const schema = readContract();
const orderType = schema.getType('ProductKeyOrderField');
const orders = (isEnumType(orderType) ? orderType.getValues() : []).map(({ name }) => name as ProductKeyOrderField);
const whereType = schema.getType('ProductKeyWhere');
const filters = Object.keys(isInputObjectType(whereType) ? whereType.getFields() : {});

interface Plan {
  'Node Type': string;
  'Relation Name'?: string;
  'Shared Hit Blocks': number;
  'Shared Read Blocks': number;
  Plans?: Plan[];
}

/** What a page reads, in blocks, and how: the statement that `listPage` makes, explained. */
async function reading(args: Parameters<typeof productKeyList>[1]): Promise<{ blocks: number; scans: string[] }> {
  let plan: Plan | undefined;
  const db = {
    sql: async (_: unknown, text: string, values: unknown[]) => {
      const explained = await client.query<{ 'QUERY PLAN': { Plan: Plan }[] }>(
        `EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) ${text}`,
        values,
      );
      plan = explained.rows[0]!['QUERY PLAN'][0]!.Plan;
      return [];
    },
  } as unknown as Database;
  const viewer = { principal: 'API_KEY', ...tenant, brandId: null };
  await listPage(db, productKeyList({ viewer, now: NOW, keyring } as unknown as RequestContext, args), args);
  const nodes: Plan[] = [];
  const collect = (node: Plan) => (nodes.push(node), node.Plans?.forEach(collect));
  collect(plan!);
  const scans = nodes.map((node) => `${node['Node Type']} ${node['Relation Name'] ?? ''}`);
  return { blocks: plan!['Shared Hit Blocks'] + plan!['Shared Read Blocks'], scans };
}

test('every filter, every order and search is read from an index: no page reads much, whatever it is asked', async () => {
  expect(Object.keys(samples).sort()).toEqual(filters.sort());
  const asked = Object.entries(samples).flatMap(([name, all]) =>
    all.map((where, i) => [`${name} ${i}`, { where: where() }] as const),
  );
  const cases: (readonly [string, Parameters<typeof productKeyList>[1]])[] = [
    ['all', {}],
    ['search common', { search: 'plan' }],
    ['search rare', { search: 'p000004000' }],
    ['search none', { search: 'nothing' }],
    ...asked,
  ];
  const most = rows / 10;
  const tooMuch: unknown[] = [];
  for (const field of orders)
    for (const direction of ['ASC', 'DESC'] as OrderDirection[])
      for (const [name, args] of cases) {
        const { blocks, scans } = await reading({ ...args, orderBy: { field, direction } });
        const isWhole = scans.some((scan) => scan.startsWith('Seq Scan product_key'));
        if (isWhole || blocks > most) tooMuch.push([field, direction, name, blocks, isWhole ? scans : '']);
      }
  expect(tooMuch).toEqual([]);
});
