import { expect, test } from '@jest/globals';
import { isEnumType } from 'graphql';
import { readContract } from '../../src/schema.js';
import { useApi } from '../support/api.js';

const api = useApi();

/** Tables of the lists here, with the columns that stand before the order in their indexes. */
const lists: Record<string, [table: string, scope: string]> = {
  ApiKey: ['api_keys', 'business_id, mode'],
  Brand: ['brands', 'business_id'],
  Entitlement: ['entitlements', 'business_id'],
  Package: ['packages', 'business_id'],
  PackagePrice: ['package_prices', 'business_id'],
  Product: ['products', 'business_id'],
  ProductOffering: ['product_offerings', 'business_id'],
  ProductVersion: ['product_versions', 'business_id, product_id'],
  SlaBreach: ['sla_breaches', 'business_id, mode, product_key_id'],
  SlaDefinition: ['sla_definitions', 'business_id, mode'],
  SubscriptionType: ['subscription_types', 'business_id'],
};
const expressions: Record<string, string> = {
  PUBLISHED_AT: "COALESCE(published_at, 'infinity'::timestamp with time zone)",
};

test.each(Object.keys(lists))('every order of a list of %s has an index', async (type) => {
  const [table, scope] = lists[type] as [string, string];
  const order = readContract().getType(`${type}OrderField`);
  const fields = isEnumType(order) ? order.getValues().map(({ name }) => name) : [];
  expect(fields.length).toBeGreaterThan(0);
  const rows = await api.db.sql<{ indexdef: string }>(null, 'SELECT indexdef FROM pg_indexes WHERE tablename = $1', [
    table,
  ]);
  const indexed = rows.map(({ indexdef }) => indexdef.replace(/^.* USING btree /, ''));
  for (const field of fields) expect(indexed).toContain(`(${scope}, ${expressions[field] ?? field.toLowerCase()}, id)`);
});

test.each([
  'brands',
  'entitlements',
  'packages',
  'products',
  'product_offerings',
  'sla_definitions',
  'subscription_types',
])('search and metadata of %s are read from an index', async (table) => {
  const plan = async (condition: string) => {
    const client = await api.db.writer.pool.connect();
    try {
      await client.query('BEGIN');
      // Of few rows all are read at once: without other ways, and conditions that another index fits, this one must show.
      await client.query('SET LOCAL enable_seqscan = off');
      await client.query('SET LOCAL enable_indexscan = off');
      const text = `EXPLAIN SELECT t.id FROM ${table} t WHERE ${condition}`;
      const { rows } = await client.query<{ 'QUERY PLAN': string }>(text);
      await client.query('ROLLBACK');
      return rows.map((row) => row['QUERY PLAN']).join(' ');
    } finally {
      client.release();
    }
  };
  const texts: Record<string, string> = {
    products: "lower(t.name || ' ' || t.sku)",
    product_offerings: "lower(t.name || ' ' || t.license_type)",
    brands: "lower(t.name || ' ' || t.url)",
    sla_definitions: "lower(t.name || ' ' || coalesce(t.description, ''))",
  };
  expect(await plan(`${texts[table] ?? 'lower(t.name)'} LIKE '%abc%'`)).toContain(`${table}_search`);
  expect(await plan(`t.metadata @> '{"a": "b"}'::jsonb`)).toContain(`${table}_metadata`);
});
