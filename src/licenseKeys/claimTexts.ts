import type { UserErrorData } from '../kernel/refusal.js';
import { Refusal } from '../kernel/refusal.js';
import { tenantOf } from '../kernel/requestContext.js';
import type { SqlTx } from '../kernel/transaction.js';
import { lookupRows, type LookupRow, type TextOwner } from './keyHmacs.js';
import { holdPrefixes, keyMakerFor } from './keyMaker.js';
import { keyTaken, normalizeKey, reservedKeyPrefix } from './licenseKey.js';

/** A row of a bulk operation that brings a text, and what is wrong with it so far. */
export interface TextRow extends TextOwner {
  readonly index: number;
  readonly key: string;
  readonly problems: UserErrorData[];
}

/**
 * A step, five statements at most, however many rows: writes the look-up values of the texts of rows without problems; what the
 * business knows already, what stands twice among them and what begins with a reserved prefix becomes a problem of its row. Of
 * two transactions that claim one text, the later waits for the earlier.
 */
export async function claimTexts(tx: SqlTx, rows: readonly TextRow[]): Promise<void> {
  await holdPrefixes(tx);
  const maker = await keyMakerFor(tx);
  const seen = new Set<string>();
  for (const { index, key, problems } of sound(rows)) {
    const path = ['input', 'rows', index, 'key'];
    const prefix = maker.reservedPrefixOf(key);
    const text = normalizeKey(key);
    if (prefix !== null) problems.push(reservedKeyPrefix(path, prefix));
    else if (seen.has(text)) problems.push(keyTaken(path));
    else seen.add(text);
  }
  const claims = sound(rows);
  const taken = await claim(
    tx,
    claims.flatMap((row) => lookupRows(tx.ctx.keyring, tenantOf(tx.ctx), row.key, ownerOf(row))),
  );
  for (const row of claims) {
    if (taken.has(idOf(row))) row.problems.push(keyTaken(['input', 'rows', row.index, 'key']));
  }
}

const sound = (rows: readonly TextRow[]) => rows.filter(({ problems }) => problems.length === 0);
const idOf = ({ licenseKeyId, poolKeyId }: TextOwner) => (licenseKeyId ?? poolKeyId) as string;
const ownerOf = ({ licenseKeyId, poolKeyId }: TextOwner): TextOwner => ({ licenseKeyId, poolKeyId });

/** Writes look-up values in one order for everybody. @returns ids of the owners of which one was there already */
async function claim(tx: SqlTx, lookups: LookupRow[]): Promise<ReadonlySet<string>> {
  const { businessId, mode } = tenantOf(tx.ctx);
  lookups.sort((a, b) => Buffer.compare(a.keyHmac, b.keyHmac));
  const column = <Name extends keyof LookupRow>(name: Name) => lookups.map((row) => row[name]);
  const written = await tx.sql<{ keyHmac: Buffer }>(
    'claim_texts',
    `INSERT INTO license_key_lookups (business_id, mode, key_hmac, hmac_key_id, license_key_id, pool_key_id)
      SELECT $1::uuid, $2::mode, t.* FROM unnest($3::bytea[], $4::text[], $5::uuid[], $6::uuid[]) t
      ON CONFLICT (business_id, mode, key_hmac) DO NOTHING RETURNING key_hmac AS "keyHmac"`,
    [businessId, mode, column('keyHmac'), column('hmacKeyId'), column('licenseKeyId'), column('poolKeyId')],
  );
  const own = new Set(written.map(({ keyHmac }) => keyHmac.toString('hex')));
  const taken = new Set(lookups.filter(({ keyHmac }) => !own.has(keyHmac.toString('hex'))).map(idOf));
  if (taken.size > 0 && tx.ctx.keyring.hmac.keys.size > 1) await giveBack(tx, [...taken]);
  return taken;
}

/** Of a text that another process stored under one secret only, the values under the others were claimed in vain. */
async function giveBack(tx: SqlTx, ids: string[]): Promise<void> {
  const { businessId, mode } = tenantOf(tx.ctx);
  await tx.sql(
    'give_back_texts',
    `DELETE FROM license_key_lookups
      WHERE business_id = $1 AND mode = $2 AND coalesce(rotation_id, license_key_id, pool_key_id) = ANY($3::uuid[])`,
    [businessId, mode, ids],
  );
}

/** What became of a row of a bulk operation, as its record keeps it. */
export interface RowResult {
  readonly index: number;
  readonly userErrors: readonly UserErrorData[];
}

/**
 * Refuses all rows when one cannot be done and the caller wants all or nothing.
 * @throws Refusal with the problems of all rows
 */
export function refuseAllIfAny(onError: 'ROW_BY_ROW' | 'ALL_OR_NOTHING', rows: readonly Pick<TextRow, 'problems'>[]) {
  const problems = rows.flatMap((row) => row.problems);
  if (onError === 'ALL_OR_NOTHING' && problems.length > 0) throw new Refusal(problems);
}
