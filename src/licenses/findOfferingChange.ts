import { missingProductOffering } from '../catalog/notFound.js';
import type { License } from '../generated/prisma/client.js';
import { uuidOf } from '../kernel/id.js';
import { Refusal, refusal } from '../kernel/refusal.js';
import type { SqlReader } from '../kernel/transaction.js';
import { findOfferings } from './findOfferings.js';
import { findPredecessor, findRenewal } from './findRenewal.js';
import { illegalState, planOfferingChange, type OfferingChangePlan } from './offeringChange.js';
import { alreadyRenewed } from './renewal.js';

/** What is asked for: to which offering, and when; absent: as early as can be. */
export interface WantedOfferingChange {
  readonly productOfferingId: string;
  readonly at?: Date | null;
}

/**
 * A step: the plan of a change that is asked for, by the rules that the preview and the change share.
 * @param license as it is now, with what is due
 * @throws Refusal LicenseOfPackage, ProductOfferingNotFound, LicenseAlreadyRenewed, and what `planOfferingChange` refuses
 */
export async function findOfferingChange(
  reader: SqlReader,
  license: License,
  { productOfferingId, at }: WantedOfferingChange,
): Promise<OfferingChangePlan> {
  const { now } = reader.ctx;
  if (license.productOfferingId === null) {
    throw refusal('LicenseOfPackage', ['input', 'licenseId'], 'The license is for a package: it has no offering.');
  }
  const toId = uuidOf('ProductOffering', productOfferingId);
  const offerings = await findOfferings(reader, [license.productOfferingId, toId]);
  const [from, to] = [offerings.get(license.productOfferingId), offerings.get(toId)];
  if (!to) throw new Refusal([missingProductOffering(['input', 'productOfferingId'])]);
  if (!from) throw new Error(`the offering of license ${license.id} is gone`);
  const plan = planOfferingChange(license, { from, to, at: at ?? null, now });
  const renewal = await findRenewal(reader, license);
  if (renewal) throw alreadyRenewed(renewal.id, 'Change the renewal once it has started, or cancel it first.');
  // Before it starts, its grants are still the other license's.
  if (license.status === 'PENDING' && (await findPredecessor(reader, license.id))) {
    throw illegalState(license, now, 'The license is a renewal that has not started. Change it once it has.');
  }
  return plan;
}
