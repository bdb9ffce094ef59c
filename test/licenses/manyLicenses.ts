import { Client } from 'pg';
import { newId } from '../../src/kernel/id.js';

/** What a big table of licenses is asked about: ids in the business that holds half of all. */
export interface ManyLicenses {
  readonly businessId: string;
  /** Instant at which the lists are read. */
  readonly now: Date;
  readonly customerId: string;
  /** Holds a twentieth of the business's licenses. */
  readonly resellerId: string;
  /** A fifth of the business's licenses are of it. */
  readonly productOfferingId: string;
  readonly rareOfferingId: string;
  readonly packageId: string;
  readonly orderId: string;
  readonly licenseId: string;
  readonly number: string;
}

const BUSINESSES = 50;
const NOW = new Date('2026-12-01T12:00:00.000Z');

/**
 * Fills the licenses of a migrated database: 50 businesses, one with half of the rows; windows that begin near their creation,
 * statuses, types, tags and metadata from common to rare. Foreign keys are not checked while loading, and indexes are made by the
 * insertions, as in life.
 */
export async function loadManyLicenses(url: string, rows: number): Promise<ManyLicenses> {
  const client = new Client({ connectionString: url });
  await client.connect();
  try {
    await client.query(
      "SET session_replication_role = 'replica'; SET work_mem = '64MB'; SET maintenance_work_mem = '256MB'",
    );
    const businesses = Array.from({ length: BUSINESSES }, () => newId());
    await client.query(load, [rows, businesses, NOW, Math.max(20, Math.floor(rows / 50))]);
    await client.query('VACUUM ANALYZE licenses');
    const { rows: found } = await client.query<Omit<ManyLicenses, 'businessId' | 'now' | 'resellerId'>>(
      `SELECT customer_id AS "customerId", order_id AS "orderId", id AS "licenseId", number,
          (SELECT md5('offering1.2')::uuid) AS "productOfferingId",
          md5('offering1.rare')::uuid AS "rareOfferingId",
          (SELECT md5('package1.4')::uuid) AS "packageId"
         FROM licenses WHERE business_id = $1 AND order_id IS NOT NULL AND customer_id <> md5('reseller')::uuid
         ORDER BY created_at OFFSET $2 LIMIT 1`,
      [businesses[0], Math.floor(rows / 8)],
    );
    const { rows: reseller } = await client.query<{ id: string }>("SELECT md5('reseller')::uuid AS id");
    return { businessId: businesses[0]!, now: NOW, resellerId: reseller[0]!.id, ...found[0]! };
  } finally {
    await client.end();
  }
}

/** $1 rows, $2 businesses, $3 now, $4 customers. Instants share milliseconds now and then, as imports do. */
const load = `
  INSERT INTO licenses (business_id, mode, id, number, status, status_before_block, type, customer_id, product_offering_id, package_id,
    order_id, valid_from, valid_until, activated_at, paused_at, cancelled_at, assigned_to_type, assigned_to_id, pending_status,
    pending_status_at, tags, metadata, version, created_at, updated_at)
  SELECT ($2::uuid[])[business], 'LIVE', md5('license' || i)::uuid, 'L' || lpad(i::text, 9, '0'), status::license_status,
    CASE status WHEN 'BLOCKED' THEN 'ACTIVE'::license_status END,
    CASE WHEN pick < 0.7 THEN 'standard' WHEN pick < 0.95 THEN 'pro' WHEN pick < 0.999 THEN 'team' ELSE 'rare' END,
    CASE WHEN i % 20 = 4 THEN md5('reseller')::uuid ELSE md5('customer' || business || '.' || (i % $4))::uuid END,
    CASE WHEN i % 5 < 3 THEN md5('offering' || business || '.' || CASE WHEN i % 4000 = 0 THEN 'rare' ELSE (i % 10)::text END)::uuid END,
    CASE WHEN i % 5 >= 3 THEN md5('package' || business || '.' || (i % 10))::uuid END,
    CASE WHEN i % 5 >= 3 THEN md5('order' || (i / 20))::uuid END,
    CASE WHEN status = 'PENDING' AND i % 1000 > 0 THEN $3::timestamptz + interval '1 hour' * (1 + i % 900)
      ELSE born + interval '1 minute' * (i % 2880) END, CASE WHEN i % 7 > 1 THEN born + interval '365 days' + interval '1 hour' * (i % 900) END, born,
    CASE status WHEN 'PAUSED' THEN born END, CASE status WHEN 'CANCELLED' THEN born + interval '30 days' END,
    CASE WHEN i % 4 = 0 THEN (ARRAY['SUBSCRIPTION', 'DEVICE', 'PERSON'])[1 + i % 3] END, CASE WHEN i % 4 = 0 THEN 'thing-' || i / 12 END,
    CASE WHEN status = 'ACTIVE' AND i % 200 = 8 THEN 'CANCELLED'::license_status END,
    CASE WHEN status = 'ACTIVE' AND i % 200 = 8 THEN $3::timestamptz + interval '1 minute' * (i % 5000 - 5) END,
    CASE WHEN i % 100 = 0 THEN ARRAY['vip', 'y' || i % 7] WHEN i % 3 = 0 THEN ARRAY['retail'] ELSE '{}' END,
    jsonb_build_object('tier', CASE WHEN i % 3 = 0 THEN 'gold' ELSE 'silver' END, 'region', 'r' || i % 500, 'ticket', i::text),
    1, born, born
  FROM (
    SELECT i, CASE WHEN i % 2 = 0 THEN 1 ELSE 2 + (i / 2) % 49 END AS business, (hashint4(i::int) & 1048575) / 1048576.0 AS pick,
      -- The newest start in the future; a rare status is rare everywhere.
      CASE WHEN i > $1::int * 0.99 THEN 'PENDING' WHEN i % 1500 = 10 THEN 'BLOCKED' WHEN i % 25 = 1 THEN 'PAUSED' WHEN i % 8 = 6 THEN 'CANCELLED' ELSE 'ACTIVE' END AS status,
      date_trunc('second', $3::timestamptz - interval '1 day' * 1000 + interval '1 day' * 1000 * (i::float8 / $1::int)) AS born
    FROM generate_series(1, $1::int) AS i
  ) made`;
