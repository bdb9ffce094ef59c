import type { ApplyLicenseInput } from '../generated/graphql.js';
import type { License } from '../generated/prisma/client.js';
import { refuseOtherBrands } from '../kernel/brand.js';
import { refusal } from '../kernel/refusal.js';
import type { RequestContext } from '../kernel/requestContext.js';
import { inSqlTransaction, type SqlTx } from '../kernel/transaction.js';
import { presentText } from '../kernel/text.js';
import { bindKeys } from '../licenseKeys/bindKeys.js';
import { retireLicenseKey } from '../licenseKeys/retireLicenseKey.js';
import { checkApplication, findApplicant } from './appliedBy.js';
import { findCustomerOf } from './changeOffering.js';
import { findLicenseToApply } from './findLicenseToApply.js';
import { validityOf } from './license.js';
import { lockCurrentLicense } from './lockCurrentLicense.js';
import { moveBehindApplied, type MoveBehind } from './moveBehindApplied.js';
import { illegalState } from './offeringChange.js';
import { recordLicenseUpdate } from './recordLicenseUpdate.js';

/**
 * Marks a license as used by a customer (as JFramework's apply does): once and for good. One of the same package as a license that
 * the customer applied before, and that goes on, moves behind that one's end, on that one's key.
 * @throws Refusal InvalidInput, LicenseNotFound, ModeMismatch, CustomerNotFound, BrandMismatch, StaleObject, LicenseAlreadyUsed,
 *   IllegalLicenseState, LicensePermanent, LicenseAlreadyRenewed
 */
export async function applyLicense(ctx: RequestContext, input: ApplyLicenseInput): Promise<{ licenseId: string }> {
  checkApplication(ctx, input);
  return inSqlTransaction(ctx, async (tx) => {
    const licenseId = await findLicenseToApply(tx, input);
    const license = await lockCurrentLicense(tx, { licenseId, expectedVersion: input.expectedVersion });
    const { customer, path } = await findApplicant(tx, input);
    const named = ['input', presentText(input.key) === null ? 'licenseId' : 'key'];
    const { brandId } = await findCustomerOf(tx, license);
    refuseOtherBrands(ctx, { brandId, path: named }, { brandId: customer.brandId, path });
    refuseUnlessApplicable(license, ctx.now, named);
    const move = await moveBehindApplied(tx, license, { customerId: customer.id, path: named });
    const change = { usedAt: ctx.now, usedById: customer.id, ...move?.change };
    await recordLicenseUpdate(tx, 'license.applied', license, change, null);
    if (move) await changeKeys(tx, license.id, move);
    return { licenseId: license.id };
  });
}

function refuseUnlessApplicable(license: License, now: Date, path: string[]): void {
  const { status, usedAt } = license;
  if (usedAt !== null) {
    const message = `The license has been used since ${usedAt.toISOString()}. Apply another one.`;
    throw refusal('LicenseAlreadyUsed', path, message, { usedAt });
  }
  if (status !== 'ACTIVE' && status !== 'PENDING') {
    throw illegalState(license, now, `The license is ${status}: it cannot be used.`, path);
  }
  if (validityOf(license, now) === 'EXPIRED')
    throw illegalState(license, now, 'The license has ended. Renew it.', path);
}

/** After its window has moved: it goes on with the other keys, and a key of its own opens nothing beside them. */
async function changeKeys(tx: SqlTx, licenseId: string, { keyIds, ownKeyIds }: MoveBehind): Promise<void> {
  await bindKeys(tx, licenseId, keyIds);
  const reason = 'The license was applied behind another one, and goes on with its key.';
  for (const licenseKeyId of ownKeyIds) await retireLicenseKey(tx, { licenseKeyId, licenseId, reason });
}
