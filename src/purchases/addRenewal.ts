import { entitlementsOfOffering, entitlementsOfPackage } from '../entitlements/entitlementsOf.js';
import type { Entitlement, Grant, License, Wallet } from '../generated/prisma/client.js';
import { lockGrantsOf } from '../grants/grantsOfLicense.js';
import type { Metadata } from '../kernel/text.js';
import type { SqlTx } from '../kernel/transaction.js';
import { activeKeysOf, bindKeys, licenseOnKeys } from '../licenseKeys/bindKeys.js';
import { assignmentOf } from '../licenses/assignment.js';
import { findCustomerOf } from '../licenses/changeOffering.js';
import { findPredecessor } from '../licenses/findRenewal.js';
import { issueLicenses, type NewLicense } from '../licenses/issueLicenses.js';
import { recordLicenseUpdate } from '../licenses/recordLicenseUpdate.js';
import { alreadyRenewed } from '../licenses/renewal.js';
import { takeOver } from '../licenses/takeOver.js';
import type { EndingLicense, RenewalTerms } from './renewalTerms.js';

/** What comes with a renewal: the order and wallet that paid, and why. */
interface Occasion {
  readonly orderId: string | null;
  readonly wallet: Wallet | null;
  readonly reason: string | null;
}

/**
 * A step: the renewal of a locked license: a license on the same keys, for the same customer and assignee, used by the same
 * customer. What the old one grants goes over when the renewal starts; what has been attached since is granted at once, but for
 * license keys where there is one already.
 * @throws Refusal LicenseAlreadyRenewed when another license hangs on one of the keys in the renewal's window
 */
export async function addRenewal(
  tx: SqlTx,
  license: EndingLicense,
  terms: RenewalTerms,
  { orderId, wallet, reason }: Occasion,
): Promise<{ id: string }> {
  const keyIds = await activeKeysOf(tx, license.id);
  const follower = await licenseOnKeys(tx, keyIds, terms);
  if (follower) throw alreadyRenewed(follower, 'It hangs on the same key: renew that one.');
  const customer = await findCustomerOf(tx, license);
  const entitlements = await newEntitlements(tx, license, terms, keyIds.length > 0);
  const options = { customer, entitlements, suppliedKey: null, generateKeys: false };
  const fields = { orderId, amountMinor: terms.price, currency: wallet?.currency ?? null };
  const [renewal] = (await issueLicenses(tx, [renewalOf(license, terms, fields)], options)) as [{ id: string }];
  await tx.flush();
  await bindKeys(tx, renewal.id, keyIds);
  await recordLicenseUpdate(tx, 'license.renewed', license, { renewalId: renewal.id }, reason);
  if (terms.validFrom <= tx.ctx.now) await takeOver(tx, { ...license, ...terms, id: renewal.id, orderId });
  return renewal;
}

function renewalOf(
  license: License,
  { price: _, ...terms }: RenewalTerms,
  paid: Pick<NewLicense, 'orderId' | 'amountMinor' | 'currency'>,
): NewLicense {
  const { customerId, description, tags, usedAt, usedById, productOfferingId } = license;
  const isSameOffering = terms.productOfferingId !== null && terms.productOfferingId === productOfferingId;
  const assignment = assignmentOf(license);
  return {
    customerId,
    ...terms,
    ...paid,
    assignedTo: assignment && {
      type: assignment.type,
      id: assignment.id,
      displayName: assignment.displayName ?? null,
      details: license.assignedToDetails as Metadata | null,
    },
    details: license.details as Metadata | null,
    description,
    tags,
    metadata: license.metadata as Metadata,
    usedAt,
    usedById,
    // Renewing does not begin a new time for which the offering binds.
    offeringSince: isSameOffering ? (license.offeringSince ?? license.validFrom) : license.pendingOfferingAt,
  };
}

/** What has been attached since: of what the old license ever had a grant of, it has one still, or somebody took it back. */
async function newEntitlements(
  tx: SqlTx,
  license: License,
  { productOfferingId, packageId }: RenewalTerms,
  hasKey: boolean,
): Promise<Entitlement[]> {
  const given =
    productOfferingId === null
      ? await entitlementsOfPackage(tx, packageId as string)
      : await entitlementsOfOffering(tx, productOfferingId);
  const known = new Set((await grantsToCome(tx, license)).map(({ entitlementId }) => entitlementId));
  return given.filter(
    (entitlement) => !known.has(entitlement.id) && !(hasKey && entitlement.integrationType === 'LICENSE_KEY'),
  );
}

/** A license's grants, and those of the licenses before it that it takes over when it starts: a renewal may be renewed before. */
async function grantsToCome(tx: SqlTx, license: License): Promise<Grant[]> {
  const grants = await lockGrantsOf(tx, license.id);
  const renewed = license.status === 'PENDING' ? await findPredecessor(tx, license.id) : null;
  return renewed ? [...grants, ...(await grantsToCome(tx, renewed))] : grants;
}
