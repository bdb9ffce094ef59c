import { createHash } from 'node:crypto';
import type { Tenant } from '../kernel/requestContext.js';
import type { SqlReader, SqlTx } from '../kernel/transaction.js';
import { effectiveStart, effectiveStatus } from '../lifecycle/effective.js';
import { deviceSubjectSql, isDevice, isText, textSubjectSql } from './subjects.js';

/** What the list calls a key, an activation or what else is a subject of it: who does not know the id learns nothing from it. */
export function entryOf({ businessId }: Tenant, subjectId: string): string {
  return createHash('sha256').update(`${businessId}\n${subjectId}`).digest('base64url');
}

/** A row by its primary key and nothing else: on a table without statistics, a join could cost a scan for each. */
function rowOf(table: string, id: string): string {
  return `LATERAL (SELECT * FROM ${table} t WHERE t.business_id = $1 AND t.mode = $2 AND t.id = ${id} OFFSET 0)`;
}

/** Whether a key `k` may be used: what `judge` says, for now and without a question. Without licenses it is valid by itself. */
const isUsable = `(k.status = 'ACTIVE' AND (k.expires_at <= $3) IS NOT TRUE AND coalesce((
  SELECT bool_or(${effectiveStatus('$3', 'l')} = 'ACTIVE' AND ${effectiveStart('$3', 'l')} <= $3
      AND (l.valid_until <= $3) IS NOT TRUE)
    FROM license_key_bindings b
    JOIN licenses l ON l.business_id = b.business_id AND l.mode = b.mode AND l.id = b.license_id
    WHERE b.business_id = $1 AND b.mode = $2 AND b.license_key_id = k.id), true))`;

/** Devices with a seat that had theirs before `a`. */
const seatedBefore = `SELECT count(*) FROM activations o
  WHERE o.business_id = $1 AND o.mode = $2 AND o.license_key_id = k.id AND o.ended_at IS NULL
    AND (o.lease_until <= $3) IS NOT TRUE AND (o.activated_at, o.id) < (a.activated_at, a.id)`;

/** Whether an activation `a` of a key `k` may not be used. */
const isUnseated = `(a.ended_at IS NOT NULL OR a.lease_until <= $3
  OR (k.activations_used > k.activations_limit AND (${seatedBefore}) >= k.activations_limit))`;

/** Keys with files for devices or texts. */
const keysWith = (isSuch: (subject: string) => string) =>
  `(SELECT DISTINCT license_key_id FROM held WHERE ${isSuch('subject_id')}) h`;

/**
 * What has to be written so that the list says what is true: keys, activations, devices without one and texts with good files
 * that may not be used, against what is listed. Over business, mode and now.
 */
const changed = `
  held AS MATERIALIZED (SELECT license_key_id, subject_id FROM license_file_holds
    WHERE business_id = $1 AND mode = $2 AND offline_until > $3),
  devices AS MATERIALIZED (SELECT ${deviceSubjectSql} AS subject_id, ${isUnseated} AS is_unseated
    FROM ${keysWith(isDevice)} CROSS JOIN ${rowOf('license_keys', 'h.license_key_id')} k
      JOIN activations a ON a.business_id = $1 AND a.mode = $2 AND a.license_key_id = k.id),
  texts AS MATERIALIZED (SELECT r.grace_until, ${textSubjectSql(
    'r.license_key_id',
    'row_number() OVER (PARTITION BY r.license_key_id ORDER BY r.created_at, r.id) - 1',
  )} AS subject_id
    FROM ${keysWith(isText)} JOIN license_key_rotations r ON r.business_id = $1 AND r.mode = $2 AND r.license_key_id = h.license_key_id),
  wanted AS (
    SELECT k.id AS subject_id FROM (SELECT DISTINCT license_key_id FROM held) h
      CROSS JOIN ${rowOf('license_keys', 'h.license_key_id')} k WHERE NOT ${isUsable}
    UNION ALL
    SELECT a.id FROM held h CROSS JOIN ${rowOf('activations', 'h.subject_id')} a
      CROSS JOIN ${rowOf('license_keys', 'a.license_key_id')} k
      WHERE h.subject_id <> h.license_key_id AND ${isUnseated}
    UNION ALL
    SELECT h.subject_id FROM held h CROSS JOIN ${rowOf('license_keys', 'h.license_key_id')} k
      LEFT JOIN devices d ON d.subject_id = h.subject_id
      WHERE ${isDevice('h.subject_id')}
        AND CASE WHEN d.subject_id IS NULL THEN k.activations_limit IS NOT NULL ELSE d.is_unseated END
    UNION ALL
    SELECT h.subject_id FROM held h JOIN texts t ON t.subject_id = h.subject_id AND t.grace_until <= $3),
  listed AS (SELECT subject_id FROM license_revocations WHERE business_id = $1 AND mode = $2 AND is_revoked),
  changed AS (
    SELECT coalesce(w.subject_id, r.subject_id) AS subject_id, w.subject_id IS NOT NULL AS is_revoked
      FROM wanted w FULL JOIN listed r ON r.subject_id = w.subject_id
      WHERE w.subject_id IS NULL OR r.subject_id IS NULL)`;

/** Whether the list has to be written anew. */
export async function isListOutdated(reader: SqlReader, { businessId, mode }: Tenant): Promise<boolean> {
  const [row] = await reader.sql<{ outdated: boolean }>(
    'revocations_outdated',
    `WITH ${changed} SELECT EXISTS (SELECT FROM changed)
        OR NOT EXISTS (SELECT FROM revocation_lists WHERE business_id = $1 AND mode = $2) AS outdated`,
    [businessId, mode, reader.ctx.now],
  );
  return row?.outdated ?? true;
}

/**
 * A step: writes the list anew, each change with a version of its own. One transaction at a time: what is true is asked behind
 * the lock, so that a version is never given twice and the list never goes back.
 */
export async function renewList(tx: SqlTx, { businessId, mode }: Tenant): Promise<void> {
  await tx.sql(
    'start_revocation_list',
    'INSERT INTO revocation_lists (business_id, mode, version) VALUES ($1, $2, 0) ON CONFLICT DO NOTHING',
    [businessId, mode],
  );
  const [list] = await tx.sql<{ version: bigint }>(
    'lock_revocation_list',
    'SELECT version FROM revocation_lists WHERE business_id = $1 AND mode = $2 FOR NO KEY UPDATE',
    [businessId, mode],
  );
  await tx.sql(
    'write_revocations',
    `WITH ${changed},
      numbered AS (SELECT *, $4::bigint + row_number() OVER (ORDER BY subject_id) AS version FROM changed),
      written AS (INSERT INTO license_revocations (business_id, mode, subject_id, is_revoked, version)
        SELECT $1, $2, subject_id, is_revoked, version FROM numbered
        ON CONFLICT (business_id, mode, subject_id) DO UPDATE SET is_revoked = excluded.is_revoked, version = excluded.version)
      UPDATE revocation_lists SET version = version + (SELECT count(*) FROM numbered)
        WHERE business_id = $1 AND mode = $2 RETURNING version`,
    [businessId, mode, tx.ctx.now, list?.version],
  );
}

/** One entry that the list gained or lost. */
interface ListedRow {
  readonly subjectId: string;
  readonly isRevoked: boolean;
  readonly version: bigint;
}

/** A part of the list, as it is signed. */
export interface ListPage {
  readonly since: bigint;
  readonly version: bigint;
  readonly complete: boolean;
  readonly revoked: readonly string[];
  readonly restored: readonly string[];
}

const PAGE = 2_000;

/** What changed after a version, up to 2,000 entries, read in one statement; the whole list after 0 or one that it never had. */
export async function readListPage(reader: SqlReader, tenant: Tenant, asked: bigint): Promise<ListPage> {
  const rows = await reader.sql<{ head: bigint; since: bigint; entry: (ListedRow & { version: string }) | null }>(
    'revocations_since',
    `SELECT l.version AS head, s.since, jsonb_build_object('subjectId', r.subject_id, 'isRevoked', r.is_revoked,
        'version', r.version::text) AS entry
      FROM (SELECT coalesce((SELECT version FROM revocation_lists WHERE business_id = $1 AND mode = $2), 0) AS version) l
      CROSS JOIN LATERAL (SELECT CASE WHEN $3::bigint BETWEEN 0 AND l.version THEN $3::bigint ELSE 0 END AS since) s
      LEFT JOIN LATERAL (SELECT * FROM license_revocations r
        WHERE r.business_id = $1 AND r.mode = $2 AND r.version > s.since AND (s.since > 0 OR r.is_revoked)
        ORDER BY r.version LIMIT ${PAGE + 1}) r ON true ORDER BY r.version`,
    [tenant.businessId, tenant.mode, asked],
  );
  const [first] = rows;
  if (!first) throw new Error('a list has no head');
  const entries = rows.flatMap(({ entry }) => (entry?.subjectId ? [entry] : []));
  const page = entries.slice(0, PAGE);
  const complete = page.length === entries.length;
  const last = page.at(-1);
  const listed = (isRevoked: boolean) =>
    page.filter((entry) => entry.isRevoked === isRevoked).map(({ subjectId }) => entryOf(tenant, subjectId));
  return {
    since: BigInt(first.since),
    version: complete || !last ? BigInt(first.head) : BigInt(last.version),
    ...{ complete, revoked: listed(true), restored: listed(false) },
  };
}
