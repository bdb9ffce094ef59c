import { Prisma } from '../generated/prisma/client.js';
import { columnName } from '../kernel/rows.js';
import { effectiveGrantStatus } from '../grants/effectiveGrantStatus.js';
import { effectiveOffering, isOfferingDue } from '../lifecycle/effective.js';
import { erasedFingerprintSql } from './erasedFingerprint.js';
import type { JudgedLicense } from './facts.js';
import { keyLookup } from './keyLookup.js';

/** A row as a JSON object in camelCase. */
function asJson(fields: readonly string[], alias: string): string {
  return `jsonb_build_object(${fields.map((field) => `'${field}', ${alias}.${columnName(field)}`).join(', ')})`;
}

const licenseFields: Record<keyof JudgedLicense, true> = {
  id: true,
  customerId: true,
  type: true,
  status: true,
  statusBeforeBlock: true,
  validFrom: true,
  validUntil: true,
  activatedAt: true,
  pausedAt: true,
  cancelledAt: true,
  pendingStatus: true,
  pendingStatusAt: true,
  productOfferingId: true,
  offeringSince: true,
  pendingOfferingId: true,
  pendingOfferingAt: true,
  expiredAt: true,
};
const licenseJson = asJson(Object.keys(licenseFields), 'l');
/** What a new license or key does not have: the snapshot of its creation leaves out what was never set. */
const unsetOfLicense: readonly (keyof JudgedLicense)[] = [
  ...(['statusBeforeBlock', 'validUntil', 'activatedAt', 'pausedAt', 'cancelledAt', 'expiredAt'] as const),
  ...(['pendingStatus', 'pendingStatusAt', 'productOfferingId', 'offeringSince'] as const),
  ...(['pendingOfferingId', 'pendingOfferingAt'] as const),
];
const unsetOfKey = ['expiresAt', 'disabledAt', 'activationsLimit'];
const activationJson = asJson(Object.keys(Prisma.ActivationScalarFieldEnum), 'a');
const keyFields = [
  'id',
  'mode',
  'customerId',
  'status',
  'expiresAt',
  'disabledAt',
  'activationsLimit',
  'version',
  'createdAt',
];
const productFields = ['id', 'sku', 'name', 'archivedAt'];

const versionsOfProduct = 'FROM product_versions v WHERE v.business_id = p.business_id AND v.product_id = p.id';
/** The newest public version of a product `p` at the instant of the question `i`, and the one that was asked about. */
const versionsJson = `jsonb_build_object(
  'latestPublicVersionName', (SELECT v.name ${versionsOfProduct} AND v.published_at IS NOT NULL
    AND (i.at >= $2 OR v.published_at <= i.at) ORDER BY v.published_at DESC, v.id DESC LIMIT 1),
  'version', (SELECT jsonb_build_object('publishedAt', v.published_at) ${versionsOfProduct} AND v.name = i.version))`;
const productJson = `${asJson(productFields, 'p')} || ${versionsJson}`;

/** What a row of the history says that an object `alias` was at the instant of the question; null when that is not in the past. */
function snapshotOf(type: string, alias: string): string {
  return `CASE WHEN i.at < $2 THEN (SELECT h.snapshot FROM changes h
    WHERE h.business_id = ${alias}.business_id AND h.mode = ${alias}.mode AND h.object_id = ${alias}.id
      AND h.object_type = '${type}' AND h.created_at <= i.at ORDER BY h.sequence DESC LIMIT 1) END`;
}

/** What lays over a row what it was by a snapshot: what that lacks was not set; nothing without a snapshot. */
function thenOf(snapshot: string, unset: readonly string[]): string {
  return `coalesce('${JSON.stringify(Object.fromEntries(unset.map((name) => [name, null])))}'::jsonb || ${snapshot}, '{}')`;
}

const ofKey = 'business_id = k.business_id AND b.mode = k.mode AND b.license_key_id = k.id';

/** What decides about a license's offering, as it is stored or was at the instant. */
const offeringAsStored = Object.entries({
  productOfferingId: 'uuid',
  pendingOfferingId: 'uuid',
  pendingOfferingAt: 'timestamptz',
  pendingStatus: 'license_status',
  pendingStatusAt: 'timestamptz',
})
  .map(([field, type]) => {
    const column = columnName(field);
    return `CASE WHEN t.snapshot IS NULL THEN l.${column} ELSE (t.snapshot ->> '${field}')::${type} END AS ${column}`;
  })
  .join(', ');

/** A license's products: of its offering as it is or was at the instant; of its package, the primary one first. */
const productsOfLicense = `
  SELECT jsonb_agg(${productJson} ORDER BY s.place, p.id) FROM (
    SELECT o.product_id, 0 AS place FROM product_offerings o
      WHERE o.business_id = l.business_id AND o.id = ${effectiveOffering('i.at', 'w')}
    UNION ALL
    SELECT g.primary_product_id, 0 FROM packages g WHERE g.business_id = l.business_id AND g.id = l.package_id
    UNION ALL
    SELECT o.product_id, 1 FROM package_offerings g
      JOIN product_offerings o ON o.business_id = g.business_id AND o.id = g.product_offering_id
      WHERE g.business_id = l.business_id AND g.package_id = l.package_id) s
  JOIN products p ON p.business_id = l.business_id AND p.id = s.product_id`;

/** The type that comes with an offering that is true and not written yet; else nothing, and no reading. */
const typeDue = `(SELECT jsonb_build_object('type', o.license_type) FROM product_offerings o
  WHERE ${isOfferingDue('i.at', 'w')} AND o.business_id = l.business_id AND o.id = w.pending_offering_id)`;

/** A binding that was made by the instant; for now and later every one: another process's clock may be ahead. */
const licensesOfKey = `
  SELECT jsonb_agg(jsonb_build_object('license', ${licenseJson} || ${thenOf('t.snapshot', unsetOfLicense)}
      || coalesce(${typeDue}, '{}'),
      'products', (${productsOfLicense})) ORDER BY l.created_at, l.id) AS list
    FROM license_key_bindings b
    JOIN licenses l ON l.business_id = b.business_id AND l.mode = b.mode AND l.id = b.license_id
    CROSS JOIN LATERAL (SELECT ${snapshotOf('License', 'l')} AS snapshot OFFSET 0) t
    CROSS JOIN LATERAL (SELECT ${offeringAsStored}) w
    WHERE b.${ofKey} AND (i.at >= $2 OR b.created_at <= i.at)`;

/** Grants of the key and of its licenses that were issued by the instant; one that was revoked after it counts as it was. */
const grantsOfKey = `
  SELECT jsonb_agg(jsonb_build_object('licenseId', g.license_id, 'gaveKey', g.license_key_id IS NOT DISTINCT FROM k.id,
      'status', CASE WHEN g.revoked_at > i.at THEN g.status_before_revocation ELSE ${effectiveGrantStatus('i.at', 'g')} END,
      'revocationReason', CASE WHEN g.revoked_at <= i.at THEN g.revocation_reason END,
      'integrationType', g.integration_type, 'name', e.name) ORDER BY e.name, g.id) AS list
    FROM (
      SELECT g.id FROM grants g WHERE g.business_id = k.business_id AND g.mode = k.mode AND g.license_key_id = k.id
      UNION SELECT g.id FROM license_key_bindings b
        JOIN grants g ON g.business_id = b.business_id AND g.mode = b.mode AND g.license_id = b.license_id WHERE b.${ofKey}) s
    JOIN grants g ON g.business_id = k.business_id AND g.mode = k.mode AND g.id = s.id
    JOIN entitlements e ON e.business_id = g.business_id AND e.id = g.entitlement_id
    WHERE i.at >= $2 OR g.created_at <= i.at`;

/** What the entitlement that gave the key is attached to. */
const productsOfKey = `
  SELECT jsonb_agg(${productJson} ORDER BY p.created_at, p.id) AS list FROM grants g
    JOIN entitlement_attachments x ON x.business_id = g.business_id AND x.entitlement_id = g.entitlement_id
    LEFT JOIN product_offerings o ON o.business_id = x.business_id AND o.id = x.product_offering_id
    LEFT JOIN packages w ON w.business_id = x.business_id AND w.id = x.package_id
    JOIN products p ON p.business_id = x.business_id AND p.id = coalesce(x.product_id, o.product_id, w.primary_product_id)
    WHERE g.business_id = k.business_id AND g.mode = k.mode AND g.license_key_id = k.id AND licenses.list IS NULL`;

const seatsOfKey = 'business_id = k.business_id AND o.mode = k.mode AND o.license_key_id = k.id AND o.ended_at IS NULL';

/** A seat whose lease has run out is free, whether or not that has been written yet. */
const seats = `
  SELECT k.activations_used - count(*)::int AS used FROM activations o WHERE o.${seatsOfKey} AND o.lease_until <= $2`;

/** The device, and how many had their seats before it, counted only where there are too many. */
const device = `
  SELECT jsonb_build_object('activation', ${activationJson}, 'rank', CASE WHEN n.used > k.activations_limit THEN (
      SELECT count(*) FROM activations o WHERE o.${seatsOfKey} AND (o.lease_until <= $2) IS NOT TRUE
        AND (o.activated_at, o.id) < (a.activated_at, a.id)) ELSE 0 END) AS found
    FROM activations a WHERE a.business_id = k.business_id AND a.mode = k.mode AND a.license_key_id = k.id
      AND a.fingerprint IN (i.fingerprint, ${erasedFingerprintSql('k.id', 'i.fingerprint')})`;

/** @param questions the source of the questions `i`; @param asked that of the look-up values `a` */
function factsOf(questions: string, asked: string): string {
  return `
  WITH asked AS MATERIALIZED (${asked}), hit AS MATERIALIZED (${keyLookup('$1')})
  SELECT CASE WHEN p.id IS NOT NULL THEN ${productJson} END AS product,
      EXISTS (SELECT FROM hit o WHERE o.n = i.n AND o.mode <> i.mode AND o.is_hit AND o.license_key_id IS NOT NULL) AS "isInOtherMode",
      coalesce(h.is_hit, false) AS "isHit", coalesce(h.is_hit, false) AND k.id IS NULL AS "isPooled",
      CASE WHEN i.at >= $2 OR h.replaced_at <= i.at THEN h.replaced_until END AS "replacedUntil",
      CASE WHEN k.id IS NOT NULL THEN ${asJson(keyFields, 'k')}
        || ${thenOf(`(${snapshotOf('LicenseKey', 'k')})`, unsetOfKey)} END AS key,
      c.brand_id AS "brandId", c.number AS "customerNumber", c.erased_at IS NOT NULL AS "isErased", licenses.list AS licenses, grants.list AS grants,
      products.list AS products, n.used AS "activationsUsed", device.found AS device
    FROM ${questions}
    LEFT JOIN hit h ON h.n = i.n AND h.mode = i.mode
    LEFT JOIN license_keys k ON k.business_id = $1 AND k.mode = h.mode AND k.id = h.license_key_id
    LEFT JOIN customers c ON c.business_id = k.business_id AND c.mode = k.mode AND c.id = k.customer_id
    LEFT JOIN products p ON p.business_id = $1 AND p.sku = i.sku
    LEFT JOIN LATERAL (${licensesOfKey}) licenses ON true
    LEFT JOIN LATERAL (${grantsOfKey}) grants ON true
    LEFT JOIN LATERAL (${productsOfKey}) products ON true
    LEFT JOIN LATERAL (${seats}) n ON true
    LEFT JOIN LATERAL (${device}) device ON true
    ORDER BY i.n`;
}

/**
 * Everything that one question is judged by. Another key is read in the place of one that is not known.
 * $1 business, $2 now, then the question's mode, SKU, version, fingerprint and instant, then two lists: modes and look-up values.
 */
export const factsOfOne = factsOf(
  '(SELECT $3::mode AS mode, $4::text AS sku, $5::text AS version, $6::text AS fingerprint, $7::timestamptz AS at, 1 AS n) AS i',
  'SELECT 1 AS n, a.* FROM unnest($8::mode[], $9::bytea[]) AS a (mode, key_hmac)',
);

/**
 * The same for any number of questions: a row each, in order. $1 business, $2 now, then a list each: of the questions their
 * modes, SKUs, versions, fingerprints and instants; of the look-up values the numbers of their questions from 1, their modes, and
 * themselves. A statement of its own, because PostgreSQL takes every list for ten items long: for one question it would rather
 * plan anew each time, which takes several times as long as the reading.
 */
export const factsOfMany = factsOf(
  'unnest($3::mode[], $4::text[], $5::text[], $6::text[], $7::timestamptz[]) WITH ORDINALITY AS i (mode, sku, version, fingerprint, at, n)',
  'SELECT * FROM unnest($8::int[], $9::mode[], $10::bytea[]) AS a (n, mode, key_hmac)',
);
