import type { AssignLicenseInput } from '../generated/graphql.js';
import type { License } from '../generated/prisma/client.js';
import { refuseIfAny, type UserErrorData } from '../kernel/refusal.js';
import type { RequestContext } from '../kernel/requestContext.js';
import { inSqlTransaction } from '../kernel/transaction.js';
import { assigneeProblems, assignmentColumns } from './assignment.js';
import { checkedReason } from './checkedReason.js';
import { holdFreeAssignees, slotsOf } from './holdAssignees.js';
import { assigneeTaken } from './license.js';
import { lockLicenseToNote } from './lockLicenseToNote.js';
import { illegalState } from './offeringChange.js';
import { recordLicenseUpdate } from './recordLicenseUpdate.js';

/**
 * Assigns a license to something else, or to nothing. The assignee must be free of other licenses of its offering, and of the one
 * that it changes to.
 * @throws Refusal InvalidInput, LicenseNotFound, ModeMismatch, BrandMismatch, StaleObject, CustomerErased, IllegalLicenseState,
 *   AssigneeTaken
 */
export async function assignLicense(ctx: RequestContext, input: AssignLicenseInput): Promise<{ licenseId: string }> {
  const problems: UserErrorData[] = [];
  assigneeProblems(problems, input.assignedTo);
  refuseIfAny(problems);
  return inSqlTransaction(
    ctx,
    async (tx) => {
      const reason = checkedReason(tx, input);
      const license = await lockLicenseToNote(tx, input);
      if (license.status === 'CANCELLED') {
        throw illegalState(license, ctx.now, 'The license is cancelled: it is assigned to nothing any more.');
      }
      const columns = assignmentColumns(input.assignedTo ?? null);
      await holdFreeAssignees(tx, wantedSlots({ ...license, ...columns }));
      await recordLicenseUpdate(tx, 'license.assigned', license, columns, reason);
      return { licenseId: license.id };
    },
    assigneeTaken,
  );
}

function wantedSlots(license: License) {
  const { productOfferingId, pendingOfferingId, pendingOfferingAt, pendingStatus, pendingStatusAt } = license;
  const isEarlier = pendingStatus === 'ACTIVE' && pendingStatusAt !== null && pendingStatusAt < license.validFrom;
  const validFrom = isEarlier ? pendingStatusAt : license.validFrom;
  return [
    ...(productOfferingId === null ? [] : slotsOf(license, productOfferingId, validFrom)),
    ...(pendingOfferingId === null || pendingOfferingAt === null
      ? []
      : slotsOf(license, pendingOfferingId, pendingOfferingAt)),
  ];
}
