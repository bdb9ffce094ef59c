import { recordChange, type ChangeType } from '../events/recordChange.js';
import type { Activation } from '../generated/prisma/client.js';
import { changedFields } from '../kernel/changedFields.js';
import { newId } from '../kernel/id.js';
import { refuseIfAny, type UserErrorData } from '../kernel/refusal.js';
import type { Tenant } from '../kernel/requestContext.js';
import { columnsOf } from '../kernel/rows.js';
import { checkMetadata, mergedMetadata } from '../kernel/text.js';
import type { SqlTx } from '../kernel/transaction.js';
import { leaseEnd } from './activation.js';

/** An activation as its device asks for it. */
export interface WantedActivation {
  readonly fingerprint: string;
  /** Null: as it is. */
  readonly name: string | null;
  /** Merged into what is there. */
  readonly metadata: Record<string, string | number | boolean | null>;
  /** Null: none for a new seat, as it is for one that the device has. */
  readonly leaseSeconds: number | null;
}

/** A step: stores the first activation of a device that has taken a seat. Gives its id. */
export function addActivation(
  tx: SqlTx,
  { businessId, mode }: Tenant,
  of: { licenseKeyId: string; customerId: string },
  { fingerprint, name, metadata, leaseSeconds }: WantedActivation,
): string {
  const { now } = tx.ctx;
  const row = {
    ...{ businessId, mode, id: newId(), ...of, fingerprint, name, metadata: mergedMetadata({}, metadata) },
    ...{ activatedAt: now, lastSeenAt: now, leaseSeconds, leaseUntil: leaseEnd(leaseSeconds, now) },
    ...{ endedAt: null, endedBy: null, version: 1, createdAt: now, updatedAt: now },
  };
  tx.insert('activations', row);
  const tenant = { businessId, mode };
  const about = { objectType: 'Activation', objectId: row.id, sequence: 1 } as const;
  recordChange(tx, { type: 'activation.created', ...about, snapshot: row, tenant });
  return row.id;
}

/** A step: gives a device its seat again, which has been taken for it. Gives the activation's id. */
export function reviveActivation(tx: SqlTx, current: Activation, wanted: WantedActivation): Promise<string> {
  const { now } = tx.ctx;
  const { leaseSeconds } = wanted;
  return write(tx, 'activation.reactivated', current, {
    ...described(current, wanted),
    ...{ activatedAt: now, lastSeenAt: now, leaseSeconds, leaseUntil: leaseEnd(leaseSeconds, now) },
    ...{ endedAt: null, endedBy: null },
  });
}

/** A step: renews name, pairs and lease of a device that has its seat. Gives the activation's id. */
export function renewActivation(tx: SqlTx, current: Activation, wanted: WantedActivation): Promise<string> {
  const { now } = tx.ctx;
  const leaseSeconds = wanted.leaseSeconds ?? current.leaseSeconds;
  return write(tx, 'activation.updated', current, {
    ...described(current, wanted),
    ...{ lastSeenAt: now, leaseSeconds, leaseUntil: leaseEnd(leaseSeconds, now) },
  });
}

/** A step: ends an activation, whose seat is to be freed. Gives its id. */
export function endActivation(tx: SqlTx, current: Activation): Promise<string> {
  return write(tx, 'activation.deactivated', current, { endedAt: tx.ctx.now, endedBy: 'DEACTIVATED' });
}

function described(current: Activation, { name, metadata }: WantedActivation): Pick<Activation, 'name' | 'metadata'> {
  const merged = mergedMetadata(current.metadata, metadata);
  const problems: UserErrorData[] = [];
  checkMetadata(problems, ['input', 'metadata'], merged);
  refuseIfAny(problems);
  return { name: name ?? current.name, metadata: merged };
}

/** Writes a locked activation. That it was seen and its lease renewed is no change: it has no version and no history. */
async function write(tx: SqlTx, type: ChangeType, current: Activation, change: Partial<Activation>): Promise<string> {
  const next = { ...current, ...change };
  const { lastSeenAt: _, leaseUntil: __, ...telling } = change;
  const changed = changedFields(current, telling);
  const { businessId, mode, id } = current;
  const [row] = (await tx.sql<Activation>(
    'write_activation',
    `UPDATE activations SET name = $4, metadata = $5, activated_at = $6, last_seen_at = $7, lease_seconds = $8, lease_until = $9,
        ended_at = $10, ended_by = $11, version = version + $12, updated_at = CASE $12 WHEN 0 THEN updated_at ELSE $13 END
      WHERE business_id = $1 AND mode = $2 AND id = $3 RETURNING ${columnsOf('Activation')}`,
    [
      ...[businessId, mode, id, next.name, JSON.stringify(next.metadata), next.activatedAt, next.lastSeenAt],
      ...[next.leaseSeconds, next.leaseUntil, next.endedAt, next.endedBy, changed ? 1 : 0, tx.ctx.now],
    ],
  )) as [Activation];
  if (changed) {
    const about = { objectType: 'Activation', objectId: id, sequence: row.version } as const;
    recordChange(tx, { type, ...about, ...changed, snapshot: row, tenant: { businessId, mode } });
  }
  return id;
}
