import type { ChangeLicenseProductOfferingInput } from '../generated/graphql.js';
import type { License } from '../generated/prisma/client.js';
import type { RequestContext } from '../kernel/requestContext.js';
import { lockShared } from '../kernel/lockShared.js';
import { requireScope } from '../kernel/requireScope.js';
import { inSqlTransaction, type SqlTx } from '../kernel/transaction.js';
import { changeOffering } from './changeOffering.js';
import { checkedReason } from './checkedReason.js';
import { findOfferingChange } from './findOfferingChange.js';
import { holdFreeAssignees, slotsOf } from './holdAssignees.js';
import { assigneeTakenAt } from './license.js';
import { lockCurrentLicense } from './lockCurrentLicense.js';
import type { OfferingChangePlan } from './offeringChange.js';
import { recordLicenseUpdate } from './recordLicenseUpdate.js';
import { findProrationWallet, settleProration } from './settleProration.js';

/** Ids of what a change touched. */
export interface OfferingChangeRefs {
  licenseId: string;
  walletId: string | null;
  /** Null: no money moved. */
  ledgerEntryId: string | null;
}

/**
 * Changes a license to another offering of its product, at once or by itself later: exactly as `previewLicenseChange` says. What
 * is settled for the present billing period moves only where a wallet is named; its row is locked last.
 * @throws ClientError FORBIDDEN where a wallet is named and the API key lacks PURCHASES_WRITE
 * @throws Refusal InvalidInput, LicenseNotFound, ModeMismatch, BrandMismatch, StaleObject, whatever `findOfferingChange` refuses,
 *   AssigneeTaken, WalletNotFound, CurrencyMismatch, InsufficientFunds, BalanceLimitExceeded
 */
export async function changeLicenseProductOffering(
  ctx: RequestContext,
  input: ChangeLicenseProductOfferingInput,
): Promise<OfferingChangeRefs> {
  if (input.walletId != null) requireScope(ctx, 'PURCHASES_WRITE');
  return inSqlTransaction(
    ctx,
    async (tx) => {
      const reason = checkedReason(tx, input);
      const license = await lockCurrentLicense(tx, input);
      // Whoever revises or archives the offering waits, or is waited for: the plan is made of its terms.
      await lockShared(tx, 'ProductOffering', input.productOfferingId, 'USE');
      const plan = await findOfferingChange(tx, license, input);
      const wallet = input.walletId == null ? null : await findProrationWallet(tx, license, plan, input.walletId);
      await holdFreeAssignees(tx, slotsOf(license, plan.to.id, plan.changeDate));
      await (plan.changeDate > ctx.now ? schedule : changeOffering)(tx, license, plan, reason);
      await tx.flush();
      const ledgerEntryId = wallet && (await settleProration(tx, license, plan, wallet));
      return { licenseId: license.id, walletId: wallet?.id ?? null, ledgerEntryId };
    },
    assigneeTakenAt(['input', 'productOfferingId']),
  );
}

/** A new schedule takes the place of one that there is. */
function schedule(tx: SqlTx, license: License, plan: OfferingChangePlan, reason: string | null): Promise<License> {
  const pending = { pendingOfferingId: plan.to.id, pendingOfferingAt: plan.changeDate };
  return recordLicenseUpdate(tx, 'license.change_scheduled', license, pending, reason);
}
