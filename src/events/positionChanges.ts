import type pg from 'pg';
import type { Mode } from '../kernel/viewer.js';

/** A change in its place among all changes of its business and mode. */
export interface PositionedChange {
  readonly businessId: string;
  readonly mode: Mode;
  readonly id: string;
  readonly position: bigint;
}

/** A committed change that has no position yet. */
export interface UnplacedChange {
  readonly businessId: string;
  readonly mode: Mode;
  readonly id: string;
  readonly objectType: string;
  readonly objectId: string;
  readonly sequence: number;
}

/**
 * Gives the oldest changes that have none their positions: rising by one per business and mode, and per object in the order of
 * its sequence. Only the relay may call this, one at a time, inside its transaction.
 * @returns the changes in order; more than the limit when they carry earlier changes of their objects with them
 */
export async function positionChanges(client: pg.ClientBase, limit: number): Promise<PositionedChange[]> {
  const { rows } = await client.query<UnplacedChange & { tid: string }>({
    name: 'unplaced_changes',
    text: unplaced,
    values: [limit],
  });
  if (rows.length === 0) return [];
  const changes = inOrder(rows);
  const { rows: placed } = await client.query<{ id: string; position: string }>({
    name: 'place_changes',
    text: place,
    values: [
      changes.map(({ businessId }) => businessId),
      changes.map(({ mode }) => mode),
      changes.map(({ tid }) => tid),
    ],
  });
  const positions = new Map(placed.map(({ id, position }) => [id, BigInt(position)]));
  return changes.map(({ businessId, mode, id }) => ({ businessId, mode, id, position: positions.get(id) as bigint }));
}

/**
 * Changes in the order of their positions: as given, but each object's changes by their sequence. A request that began earlier
 * may have changed an object later, so times and ids alone can contradict the object's own order.
 * @param changes by time and id
 */
export function inOrder<Change extends UnplacedChange>(changes: readonly Change[]): Change[] {
  const byObject = new Map<string, Change[]>();
  const keys = changes.map(({ businessId, mode, objectType, objectId }) =>
    [businessId, mode, objectType, objectId].join(),
  );
  changes.forEach((change, i) => {
    const own = byObject.get(keys[i] as string);
    if (own) own.push(change);
    else byObject.set(keys[i] as string, [change]);
  });
  for (const own of byObject.values()) own.sort((left, right) => right.sequence - left.sequence);
  return keys.map((key) => byObject.get(key)?.pop() as Change);
}

/**
 * The oldest, with the earlier changes of their objects even where those are younger by the clock. Locked, and named by where
 * they lie: on a table without statistics, looking them up by their ids could cost a scan for each.
 */
const unplaced = `
  WITH oldest AS (
    SELECT business_id, mode, object_type, object_id, max(sequence) AS sequence
      FROM (SELECT * FROM changes WHERE position IS NULL ORDER BY created_at, id LIMIT $1) first
      GROUP BY business_id, mode, object_type, object_id)
  SELECT c.ctid::text AS tid, c.business_id AS "businessId", c.mode, c.id, c.object_type AS "objectType", c.object_id AS "objectId", c.sequence
    FROM oldest JOIN changes c USING (business_id, mode, object_type, object_id)
    WHERE c.position IS NULL AND c.sequence <= oldest.sequence
    ORDER BY c.created_at, c.id FOR NO KEY UPDATE OF c`;

const place = `
  WITH ordered AS (
    SELECT business_id, mode, tid, row_number() OVER (PARTITION BY business_id, mode ORDER BY place) AS nth
      FROM unnest($1::uuid[], $2::mode[], $3::tid[]) WITH ORDINALITY AS given (business_id, mode, tid, place)),
  counted AS (
    SELECT business_id, mode, count(*) AS count FROM ordered GROUP BY business_id, mode),
  reached AS (
    INSERT INTO change_positions AS p (business_id, mode, last_position)
      SELECT business_id, mode, count FROM counted ORDER BY business_id, mode
      ON CONFLICT (business_id, mode) DO UPDATE SET last_position = p.last_position + excluded.last_position
      RETURNING business_id, mode, last_position)
  UPDATE changes c SET position = reached.last_position - counted.count + ordered.nth
    FROM ordered JOIN counted USING (business_id, mode) JOIN reached USING (business_id, mode)
    WHERE c.ctid = ordered.tid
    RETURNING c.id, c.position`;
