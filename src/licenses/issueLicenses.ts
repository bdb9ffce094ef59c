import { recordChange } from '../events/recordChange.js';
import type { Entitlement } from '../generated/prisma/client.js';
import { grantEntitlements } from '../grants/grantEntitlements.js';
import { drawNumbers, type LookedUpNumbers } from '../kernel/drawNumber.js';
import { newId } from '../kernel/id.js';
import { allOf } from '../kernel/pipeline.js';
import { tenantOf } from '../kernel/requestContext.js';
import type { Metadata } from '../kernel/text.js';
import type { SqlTx } from '../kernel/transaction.js';
import { addLicenseKey } from '../licenseKeys/addLicenseKey.js';
import { drawPoolKeys, neededFromPools, type PoolDraws } from '../licenseKeys/drawPoolKeys.js';
import { holdPrefixes, keyMakerFor, refuseReservedPrefix, type KeyMaker } from '../licenseKeys/keyMaker.js';
import { holdFreeAssignees, type AssigneeSlot } from './holdAssignees.js';

/** A license to issue, from fields that were checked. It is for an offering or for a package, not both. */
export interface NewLicense {
  readonly customerId: string;
  readonly type: string;
  readonly productOfferingId: string | null;
  readonly packageId: string | null;
  readonly subscriptionTypeId: string | null;
  readonly orderId: string | null;
  readonly validFrom: Date;
  /** Exclusive; null: for ever. */
  readonly validUntil: Date | null;
  readonly assignedTo: { type: string; id: string; displayName: string | null; details: Metadata | null } | null;
  readonly details: Metadata | null;
  /** What one license cost, undiscounted, in minor units of `currency`; both null when nobody pays here. */
  readonly amountMinor: bigint | null;
  readonly currency: string | null;
  /** What discounts take off that; absent: nothing. */
  readonly discountMinor?: bigint;
  readonly description: string | null;
  readonly tags: string[];
  readonly metadata: Metadata;
  /** What a renewal takes over from the license that it renews: who uses it, and since when its offering binds. */
  readonly usedAt?: Date | null;
  readonly usedById?: string | null;
  readonly offeringSince?: Date | null;
}

/** What comes with the licenses. */
export interface IssueOptions {
  /** Who gets the grants and their mails. */
  readonly customer: { id: string; email: string | null };
  /** What each license grants. */
  readonly entitlements: readonly Entitlement[];
  /** A key of the buyer's or vendor's own, checked and trimmed; it goes to the first license. */
  readonly suppliedKey: string | null;
  /** Whether licenses that no entitlement gives a key get one by generation, as wallet purchases do. */
  readonly generateKeys: boolean;
  /** The field that names the supplied key; absent: `code`. */
  readonly suppliedKeyPath?: readonly string[];
  /** The licenses' numbers, where they were drawn and looked for already. */
  readonly lookedUp?: LookedUpNumbers;
  /** How keys are made, where that was read already; with a supplied key it is read anew, under a lock. */
  readonly maker?: KeyMaker;
}

/**
 * A step: issues licenses with their keys, grants and mails. Buffered but for one round trip that draws the numbers, two more
 * where licenses are assigned, one for the pattern of the product's keys where keys are made or supplied, and one for each pool;
 * the first and the third only where the caller has not read it before.
 *
 * A license whose start has come is born ACTIVE with `activatedAt` = now, whatever its start; any other is PENDING. Its key is
 * the supplied one, which fulfils its first license-key grant; else each AUTO grant generates one, and MANUAL ones wait; else,
 * without such a grant and with `generateKeys`, one is generated. All licenses of a call are of one offering or package, whose
 * product decides how keys are made. Records `license.created` and what keys and grants record.
 *
 * The transaction needs `assigneeTaken` and `licenseKeyTaken` among its conflicts where those can happen.
 * @returns ids in the order given
 * @throws Refusal ReservedKeyPrefix, LicenseKeyPoolEmpty
 */
export async function issueLicenses(
  tx: SqlTx,
  licenses: readonly NewLicense[],
  options: IssueOptions,
): Promise<{ id: string }[]> {
  await holdFreeAssignees(tx, licenses.flatMap(slotsOfNew));
  const { entitlements, suppliedKey, lookedUp } = options;
  const [maker, numbers] = await allOf([
    keyMakerOf(tx, licenses, options),
    drawNumbers(tx, 'License', licenses.length, lookedUp),
  ]);
  const needed = neededFromPools(entitlements, licenses.length, suppliedKey !== null);
  const poolKeys = await drawPoolKeys(tx, needed, ['input']);
  return licenses.map((license, i) => {
    const id = addLicense(tx, license, numbers[i] as string);
    const keys = { suppliedKey: i === 0 ? suppliedKey : null, maker: maker ?? undefined, poolKeys };
    giveKeyAndGrants(tx, { id, orderId: license.orderId }, options, keys);
    return { id };
  });
}

function slotsOfNew({ productOfferingId, assignedTo, validFrom, validUntil }: NewLicense): AssigneeSlot[] {
  if (productOfferingId === null || assignedTo === null) return [];
  const { type, id } = assignedTo;
  return [{ licenseId: null, productOfferingId, type, id, from: validFrom, until: validUntil }];
}

function addLicense(tx: SqlTx, license: NewLicense, number: string): string {
  const { now } = tx.ctx;
  const { assignedTo, ...columns } = license;
  const isPending = license.validFrom > now;
  const row = {
    ...tenantOf(tx.ctx),
    id: newId(),
    number,
    discountMinor: null,
    ...columns,
    status: isPending ? ('PENDING' as const) : ('ACTIVE' as const),
    activatedAt: isPending ? null : now,
    assignedToType: assignedTo?.type ?? null,
    assignedToId: assignedTo?.id ?? null,
    assignedToDisplayName: assignedTo?.displayName ?? null,
    assignedToDetails: assignedTo?.details ?? null,
    version: 1,
    createdAt: now,
    updatedAt: now,
  };
  // A null of JSON columns is SQL's null here, which Prisma's own types would have spelt out.
  tx.insert('licenses', row as never);
  const { id } = row;
  recordChange(tx, { type: 'license.created', objectType: 'License', objectId: id, sequence: 1, snapshot: row });
  return id;
}

/** How keys are made for the licenses; null when none is made or supplied. */
async function keyMakerOf(
  tx: SqlTx,
  [license]: readonly NewLicense[],
  { entitlements, suppliedKey, generateKeys, suppliedKeyPath = ['input', 'code'], maker: known }: IssueOptions,
): Promise<KeyMaker | null> {
  const isMade = entitlements.some(
    ({ fulfillmentMode, licenseKeyPoolId }) => fulfillmentMode === 'AUTO' && licenseKeyPoolId === null,
  );
  if (!license || (suppliedKey === null && !generateKeys && !isMade)) return null;
  if (suppliedKey === null && known) return known;
  if (suppliedKey !== null) await holdPrefixes(tx);
  const maker = await keyMakerFor(tx, license);
  if (suppliedKey !== null) refuseReservedPrefix(maker, suppliedKeyPath, suppliedKey);
  return maker;
}

/** Where the keys of one license come from. */
interface KeysOfLicense {
  readonly suppliedKey: string | null;
  readonly maker: KeyMaker | undefined;
  readonly poolKeys: PoolDraws;
}

function giveKeyAndGrants(
  tx: SqlTx,
  license: { id: string; orderId: string | null },
  { customer, entitlements, generateKeys }: IssueOptions,
  { suppliedKey, maker, poolKeys }: KeysOfLicense,
): void {
  grantEntitlements(tx, entitlements, {
    customer,
    licenseId: license.id,
    orderId: license.orderId,
    paymentId: null,
    subscriptionId: null,
    metadata: {},
    suppliedKey,
    makeKey: maker?.make,
    poolKeys,
  });
  if (entitlements.some(({ integrationType }) => integrationType === 'LICENSE_KEY')) return;
  const key = suppliedKey ?? (generateKeys ? maker?.make() : undefined);
  if (key === undefined) return;
  addLicenseKey(tx, {
    customerId: customer.id,
    licenseId: license.id,
    key,
    source: suppliedKey === null ? 'AUTO' : 'SUPPLIED',
    activationsLimit: null,
    expiresAt: null,
  });
}
