import { expect, test } from '@jest/globals';
import type { Grant, LicenseStatus } from '../../src/generated/prisma/client.js';
import { effectiveGrantStatus } from '../../src/grants/effectiveGrantStatus.js';
import { afterEffect, grantAsOf } from '../../src/grants/grantAsOf.js';
import { columnName } from '../../src/kernel/rows.js';
import { asOf, statusOf, type LicenseLife } from '../../src/lifecycle/dueChanges.js';
import {
  effectiveOffering,
  effectiveStart,
  effectiveStatus,
  isCancelled,
  isOfferingDue,
} from '../../src/lifecycle/effective.js';
import { dueGrantEffects, type GrantingLicense } from '../../src/lifecycle/grantEffects.js';
import { allowedFrom, type RestorableCause } from '../../src/lifecycle/transitions.js';
import { effectiveConditions } from '../../src/licenses/effectiveConditions.js';
import { useApi } from '../support/api.js';

const api = useApi();

const uuid = (n: number) => `00000000-0000-7000-8000-${String(n).padStart(12, '0')}`;
const statuses = ['PENDING', 'ACTIVE', 'PAUSED', 'BLOCKED', 'CANCELLED'] as const;
const instant = (n: number) => new Date(Date.UTC(2026, 3, 1, 0, 0, 0, n));
const INSTANTS = 5;

/** Repeatable chance. */
function dice(seed: number): (sides: number) => number {
  let state = seed;
  return (sides) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 2 ** 32) * sides);
  };
}

type Row = GrantingLicense & LicenseLife & { id: string };

/** A license as the program may leave it: whatever it is, every instant close to every other. */
function randomLicense(n: number, roll: (sides: number) => number): Row {
  const maybe = () => (roll(2) ? instant(roll(INSTANTS)) : null);
  const status = statuses[roll(statuses.length)] as LicenseStatus;
  const statusBeforeBlock = status === 'BLOCKED' ? (roll(2) ? 'ACTIVE' : 'PAUSED') : null;
  const validFrom = instant(roll(INSTANTS));
  const end = maybe();
  const validUntil = end && end > validFrom ? end : null;
  const scheduled = maybe();
  const then = status === 'PENDING' && scheduled && scheduled >= validFrom ? 'ACTIVE' : status;
  const legal = allowedFrom(then, statusBeforeBlock).map(({ to }) => to);
  const pendingStatus = scheduled ? (legal[roll(legal.length)] ?? null) : null;
  const offeringAt = status === 'CANCELLED' ? null : maybe();
  return {
    id: uuid(n),
    status,
    statusBeforeBlock,
    validFrom,
    validUntil,
    activatedAt: null,
    pausedAt: null,
    cancelledAt: status === 'CANCELLED' ? validFrom : null,
    pendingStatus,
    pendingStatusAt: pendingStatus && scheduled,
    productOfferingId: uuid(1),
    offeringSince: null,
    pendingOfferingId: offeringAt && uuid(2),
    pendingOfferingAt: offeringAt,
    expiredAt: validUntil && roll(3) === 0 ? validUntil : null,
    renewalId: roll(4) ? null : uuid(3),
  };
}

/** A grant of a license as it is stored: what is written of the license has had its effect, and maybe also what is due by then. */
function randomGrant(license: Row, n: number, roll: (sides: number) => number): Grant {
  const causes: RestorableCause[] = [];
  if (license.status === 'PAUSED' || license.statusBeforeBlock === 'PAUSED') causes.push('LICENSE_PAUSED');
  if (license.status === 'BLOCKED') causes.push('LICENSE_BLOCKED');
  if (license.expiredAt && !license.renewalId) causes.push('LICENSE_EXPIRED');
  const isFinal = license.status === 'CANCELLED' || roll(8) === 0;
  const before = (['PENDING', 'DELIVERED', 'FAILED'] as const)[roll(3)] as Grant['status'];
  const isRevoked = isFinal || causes.length > 0;
  const grant = {
    id: uuid(n),
    licenseId: license.id,
    status: isRevoked ? 'REVOKED' : before,
    statusBeforeRevocation: isRevoked ? before : null,
    revokedAt: isRevoked ? instant(0) : null,
    revocationReason: isFinal ? 'MANUAL' : (causes[0] ?? null),
    revocationCauses: isFinal ? [] : causes,
    deliveredAt: null,
    createdAt: instant(0),
    errorCode: null,
    errorMessage: null,
    claimedBy: null,
    claimedUntil: null,
  } as unknown as Grant;
  return roll(2) ? dueGrantEffects(license, instant(roll(INSTANTS))).reduce(afterEffect, grant) : grant;
}

const asRow = (fields: object) =>
  Object.fromEntries(
    Object.entries({ business_id: uuid(0), mode: 'LIVE', ...fields }).map(([name, value]) => [columnName(name), value]),
  );

test('the rules in SQL say of any license what the rules of the program say', async () => {
  const roll = dice(1);
  const licenses = Array.from({ length: 3000 }, (_, n) => randomLicense(n, roll));
  const rows = JSON.stringify(licenses.map(asRow));
  for (let i = 0; i < INSTANTS; i++) {
    const now = instant(i);
    const values: unknown[] = [rows, now];
    const place = (value: unknown) => `$${values.push(value)}`;
    const chosen: LicenseStatus[][] = [...statuses.map((one) => [one]), ['ACTIVE', 'PAUSED'], ['PENDING', 'CANCELLED']];
    // How many of a list's alternatives a license meets: one if it belongs to the list, never two.
    const met = (some: LicenseStatus[]) =>
      (effectiveConditions({ status: { in: some } }, now) ?? []).map(
        ({ conditions }) => `coalesce((${conditions.map((condition) => condition(place)).join(' AND ')})::int, 0)`,
      );
    const filters = chosen.map((some, j) => `${met(some).join(' + ')} AS f${j}`);
    const at = '$2::timestamptz';
    const found = await api.db.sql<any>(
      null,
      `SELECT id, ${effectiveStatus(at)} AS status, ${effectiveStart(at)} AS "validFrom", ${isCancelled(at)} AS "isCancelled",
        ${effectiveOffering(at)} AS "productOfferingId", ${isOfferingDue(at)} AS "isOfferingDue", ${filters.join(', ')}
      FROM jsonb_populate_recordset(NULL::licenses, $1::jsonb) t ORDER BY id`,
      values,
    );
    for (const [n, license] of licenses.entries()) {
      const { status, validFrom, productOfferingId } = asOf(license, now);
      expect([license, now, found[n]]).toEqual([
        license,
        now,
        {
          id: license.id,
          status,
          validFrom,
          isCancelled: status === 'CANCELLED',
          productOfferingId,
          isOfferingDue: productOfferingId !== license.productOfferingId,
          ...Object.fromEntries(chosen.map((some, j) => [`f${j}`, some.includes(statusOf(license, now)) ? 1 : 0])),
        },
      ]);
    }
  }
});

test('the rule of grants in SQL says of any grant of any license what the rule of the program says', async () => {
  const roll = dice(2);
  const licenses = Array.from({ length: 800 }, (_, n) => randomLicense(n, roll));
  const grants = licenses.map((license, n) => randomGrant(license, n, roll));
  const rows = [licenses, grants].map((some) => JSON.stringify(some.map(asRow)));
  for (let i = 0; i < INSTANTS; i++) {
    const now = instant(i);
    const found = await api.db.sql<{ status: string }>(
      null,
      `WITH licenses AS (SELECT * FROM jsonb_populate_recordset(NULL::licenses, $1::jsonb))
      SELECT ${effectiveGrantStatus('$3::timestamptz')} AS status
        FROM jsonb_populate_recordset(NULL::grants, $2::jsonb) t ORDER BY id`,
      [...rows, now],
    );
    for (const [n, grant] of grants.entries()) {
      const { status } = grantAsOf(grant, licenses[n] as Row, now);
      expect([licenses[n], grant, now, found[n]]).toEqual([licenses[n], grant, now, { status }]);
    }
  }
});
