import type { ProductKey } from '../generated/prisma/client.js';
import { userError } from '../kernel/refusal.js';
import { tenantViewer } from '../kernel/requestContext.js';
import { columnsOf } from '../kernel/rows.js';
import type { SqlTx } from '../kernel/transaction.js';
import type { Mode } from '../kernel/viewer.js';
import { keyHmacsIn } from '../licenseKeys/keyHmacs.js';
import { keyPath, type UsageRow } from './usage.js';

/** A product key that a row names, locked. */
export interface NamedKey {
  readonly key: ProductKey;
  /** Until when the text works that was given; null: it is the present one, or the id was given. */
  readonly replacedUntil: Date | null;
  readonly isOfOtherBrand: boolean;
}

/** In both modes, so that a mix-up of keys is seen for what it is. */
const textsText = `SELECT DISTINCT a.n, a.mode, t.product_key_id AS id, r.grace_until AS "replacedUntil"
  FROM unnest($2::int[], $3::mode[], $4::bytea[]) AS a (n, mode, key_hmac)
  JOIN product_key_lookups t ON t.business_id = $1 AND t.mode = a.mode AND t.key_hmac = a.key_hmac
  LEFT JOIN product_key_rotations r ON r.business_id = t.business_id AND r.mode = t.mode AND r.id = t.rotation_id`;

/**
 * In one order, before their meters, as whoever changes them does; and before their owners are looked up: a join that is locked finds
 * no row where the owner changed meanwhile.
 */
const lockText = `WITH k AS MATERIALIZED (SELECT * FROM product_keys
    WHERE business_id = $1 AND mode = $2 AND id = ANY($3::uuid[]) ORDER BY id FOR NO KEY UPDATE)
  SELECT ${columnsOf('ProductKey', 'k')}, c.brand_id AS "brandId" FROM k
  LEFT JOIN customers c ON c.business_id = k.business_id AND c.mode = k.mode AND c.id = k.customer_id`;

const elsewhereText = 'SELECT id FROM product_keys WHERE business_id = $1 AND mode <> $2 AND id = ANY($3::uuid[])';

type LockedKey = ProductKey & { brandId: string };

interface Hit {
  n: number;
  mode: Mode;
  id: string;
  replacedUntil: Date | null;
}

/**
 * A step, at most three statements for all rows: finds and locks the product keys that well-formed rows name. What is not there
 * becomes a problem of its row: ProductKeyNotFound (the same for foreign and unknown ones), ModeMismatch.
 */
export async function findNamedKeys(tx: SqlTx, rows: readonly UsageRow[]): Promise<Map<UsageRow, NamedKey>> {
  const { businessId, mode, brandId } = tenantViewer(tx.ctx);
  const sound = rows.filter(({ problems }) => problems.length === 0);
  const hits = await hitsOf(tx, sound);
  const ownHits = new Map(hits.filter((hit) => hit.mode === mode).map((hit) => [hit.n, hit]));
  const idOf = (row: UsageRow, n: number) => row.productKeyId ?? ownHits.get(n)?.id ?? null;
  const ids = [...new Set(sound.flatMap((row, n) => idOf(row, n) ?? []))];
  const values = [businessId, mode, ids];
  const locked = ids.length > 0 ? await tx.sql<LockedKey>('lock_used_keys', lockText, values) : [];
  const byId = new Map(locked.map((key) => [key.id, key]));
  const missing = ids.filter((id) => !byId.has(id));
  const elsewhere = await otherModeIds(tx, missing);
  const inOtherMode = new Set(hits.filter((hit) => hit.mode !== mode).map(({ n }) => n));
  const named = new Map<UsageRow, NamedKey>();
  sound.forEach((row, n) => {
    const found = byId.get(idOf(row, n) ?? '');
    if (!found) return refuse(row, mode, inOtherMode.has(n) || elsewhere.has(row.productKeyId ?? ''));
    const { brandId: own, ...key } = found;
    const replacedUntil = ownHits.get(n)?.replacedUntil ?? null;
    named.set(row, { key, replacedUntil, isOfOtherBrand: brandId !== null && brandId !== own });
  });
  return named;
}

async function hitsOf({ ctx, sql }: SqlTx, rows: readonly UsageRow[]): Promise<Hit[]> {
  const { businessId } = tenantViewer(ctx);
  const asked = rows.flatMap(({ key }, n) =>
    key === null
      ? []
      : keyHmacsIn(ctx.keyring, businessId, ['LIVE', 'TEST'], key).map(({ mode, keyHmac }) => ({ n, mode, keyHmac })),
  );
  if (asked.length === 0) return [];
  const lists = [asked.map(({ n }) => n), asked.map(({ mode }) => mode), asked.map(({ keyHmac }) => keyHmac)];
  return sql<Hit>('find_used_texts', textsText, [businessId, ...lists]);
}

async function otherModeIds(tx: SqlTx, ids: readonly string[]): Promise<Set<string>> {
  if (ids.length === 0) return new Set();
  const { businessId, mode } = tenantViewer(tx.ctx);
  const rows = await tx.sql<{ id: string }>('used_keys_elsewhere', elsewhereText, [businessId, mode, ids]);
  return new Set(rows.map(({ id }) => id));
}

function refuse(row: UsageRow, mode: Mode, isInOtherMode: boolean): void {
  const path = keyPath(row);
  const other = mode === 'LIVE' ? 'test' : 'live';
  row.problems.push(
    isInOtherMode
      ? userError('ModeMismatch', path, `The object is ${other} data; use an API key of that mode.`)
      : userError('ProductKeyNotFound', path, 'There is no such product key.'),
  );
}
