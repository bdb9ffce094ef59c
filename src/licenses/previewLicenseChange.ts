import { entitlementsByOffering } from '../entitlements/entitlementsByOffering.js';
import type { PreviewLicenseChangeInput } from '../generated/graphql.js';
import type { Entitlement, Grant, License } from '../generated/prisma/client.js';
import { isLiving, planGrantChanges, type GivenEntitlements, type HeldGrant } from '../grants/planGrantChanges.js';
import { refuseOtherBrands } from '../kernel/brand.js';
import { uuidOf } from '../kernel/id.js';
import { missing } from '../kernel/missing.js';
import { moneyOf } from '../kernel/money.js';
import { Refusal, type UserErrorData } from '../kernel/refusal.js';
import { tenantOf, type RequestContext } from '../kernel/requestContext.js';
import { columnsOf } from '../kernel/rows.js';
import { readerOf, type SqlReader } from '../kernel/transaction.js';
import { asOf, offeringDue } from '../lifecycle/dueChanges.js';
import { findCustomerOf } from './changeOffering.js';
import { checkedReason } from './checkedReason.js';
import { findOfferingChange } from './findOfferingChange.js';
import { findOfferings } from './findOfferings.js';
import { afterOfferingChange, type OfferingChangePlan } from './offeringChange.js';

/** What a change would do; nothing but why, where it is refused. */
export interface LicenseChangePreview {
  readonly plan: (OfferingChangePlan & { revoked: Entitlement[]; issued: readonly Entitlement[] }) | null;
  readonly userErrors: readonly UserErrorData[];
}

/** The fields of a preview, as the API shows them. */
export const previewFields = {
  changeSchedule: ({ plan }: LicenseChangePreview) => plan?.changeSchedule ?? null,
  changeDate: ({ plan }: LicenseChangePreview) => plan?.changeDate ?? null,
  productOffering: ({ plan }: LicenseChangePreview) => plan?.to ?? null,
  type: ({ plan }: LicenseChangePreview) => plan?.to.licenseType ?? null,
  price: ({ plan }: LicenseChangePreview) => plan && moneyOf(plan.to.priceMinor, plan.to.currency),
  boundUntil: ({ plan }: LicenseChangePreview) => plan?.boundUntil ?? null,
  revokedEntitlements: ({ plan }: LicenseChangePreview) => plan?.revoked ?? null,
  issuedEntitlements: ({ plan }: LicenseChangePreview) => plan && [...plan.issued],
  proration({ plan }: LicenseChangePreview) {
    if (!plan) return null;
    const { credit, charge } = plan.proration;
    const money = (minorUnits: bigint) => moneyOf(minorUnits, plan.to.currency);
    return { credit: money(credit), charge: money(charge), total: money(charge - credit) };
  },
};

/**
 * What `changeLicenseProductOffering` would do now: by the same plan, without a lock and without writing. Refused where the change
 * would be, but for what only the change looks at: the assignee and the wallet.
 */
export async function previewLicenseChange(
  ctx: RequestContext,
  input: PreviewLicenseChangeInput,
): Promise<LicenseChangePreview> {
  const reader = readerOf(ctx);
  try {
    checkedReason(reader, { at: input.at });
    const stored = await findLicense(reader, input.licenseId);
    const license = await currentLicense(reader, stored);
    const plan = await findOfferingChange(reader, license, input);
    return { plan: { ...plan, ...(await grantChanges(reader, stored, license, plan)) }, userErrors: [] };
  } catch (error) {
    if (error instanceof Refusal) return { plan: null, userErrors: error.errors };
    throw error;
  }
}

async function findLicense(reader: SqlReader, licenseId: string): Promise<License> {
  const { businessId, mode } = tenantOf(reader.ctx);
  const path = ['input', 'licenseId'];
  const id = uuidOf('License', licenseId);
  const [license] = await reader.sql<License>(
    'find_license',
    `SELECT ${columnsOf('License')} FROM licenses WHERE business_id = $1 AND mode = $2 AND id = $3`,
    [businessId, mode, id],
  );
  if (!license)
    throw await missing(reader, 'License', id, path, 'LicenseNotFound', 'There is no license with this id.');
  const { brandId } = await findCustomerOf(reader, license);
  refuseOtherBrands(reader.ctx, { brandId, path });
  return license;
}

/** The license as it is now: also what a due change of offering sets that only the offerings know. */
async function currentLicense(reader: SqlReader, stored: License): Promise<License> {
  const { now } = reader.ctx;
  const due = offeringDue(stored, now);
  if (due === null || stored.productOfferingId === null) return asOf(stored, now);
  const offerings = await findOfferings(reader, [stored.productOfferingId, due]);
  const [from, to] = [offerings.get(stored.productOfferingId), offerings.get(due)];
  if (!from || !to || !stored.pendingOfferingAt) return asOf(stored, now);
  const before = asOf(stored, stored.pendingOfferingAt);
  const changeDate = stored.pendingOfferingAt;
  return {
    ...asOf(stored, now),
    ...afterOfferingChange({ ...before, billingSince: stored.billingSince }, { from, to, changeDate }),
  };
}

async function grantChanges(
  reader: SqlReader,
  stored: License,
  license: License,
  plan: OfferingChangePlan,
): Promise<{ revoked: Entitlement[]; issued: readonly Entitlement[] }> {
  const { businessId, mode } = tenantOf(reader.ctx);
  const rows = await reader.sql<Grant>(
    'grants_of_license',
    `SELECT ${columnsOf('Grant')} FROM grants WHERE business_id = $1 AND mode = $2 AND license_id = $3 ORDER BY id`,
    [businessId, mode, stored.id],
  );
  const storedId = stored.productOfferingId as string;
  const given = await entitlementsByOffering(reader, [...new Set([storedId, plan.from.id, plan.to.id])]);
  const of = (before: string, after: string) => ({ before: given.get(before) ?? [], after: given.get(after) ?? [] });
  const isDue = license.productOfferingId !== storedId;
  const held = isDue ? heldAfter(rows, of(storedId, plan.from.id)) : rows;
  const changes = planGrantChanges(held, of(plan.from.id, plan.to.id));
  return {
    revoked: (given.get(plan.from.id) ?? []).filter(({ id }) => changes.revoked.has(id)),
    issued: changes.issued,
  };
}

/** What a license holds once a change that is due has been carried out. */
function heldAfter(held: readonly HeldGrant[], given: GivenEntitlements): HeldGrant[] {
  const { revoked, issued } = planGrantChanges(held, given);
  return [
    ...held.map((grant) =>
      isLiving(grant) && revoked.has(grant.entitlementId)
        ? { ...grant, status: 'REVOKED' as const, revocationReason: 'PLAN_CHANGED' as const, revocationCauses: [] }
        : grant,
    ),
    ...issued.map(({ id }) => ({
      entitlementId: id,
      status: 'PENDING' as const,
      revocationReason: null,
      revocationCauses: [],
    })),
  ];
}
