import type { CreateDiscountInput, DiscountAmountInput, UpdateDiscountInput } from '../generated/graphql.js';
import type { Discount } from '../generated/prisma/client.js';
import { checkAmount } from '../kernel/amount.js';
import { userError, type UserErrorData } from '../kernel/refusal.js';
import { checkLength, checkMetadata, checkRange, presentText } from '../kernel/text.js';
import type { MinorByCurrency } from './discount.js';

type Fields = CreateDiscountInput | UpdateDiscountInput;

const MAX_CURRENCIES = 50;
const MAX_LIMIT = 2_147_483_647;
const MAX_STACKING = 1_000_000;

/** What of a discount follows from given fields alone. */
export type GivenColumns = Partial<
  Pick<
    Discount,
    | 'name'
    | 'description'
    | 'percentBasisPoints'
    | 'amountsMinor'
    | 'minimumSpendsMinor'
    | 'startsAt'
    | 'expiresAt'
    | 'usageLimit'
    | 'usageLimitPerCustomer'
    | 'isCombinable'
    | 'stackingOrder'
  >
>;

/**
 * Given fields as columns, those that name other objects left out; absent fields are left out, blank text is none. Adds what is
 * wrong with them, all at once; needs no I/O. Of a percentage and amounts the one that is given takes the other's place.
 */
export function givenColumns(problems: UserErrorData[], input: Fields): GivenColumns {
  checkLength(problems, ['input', 'name'], presentText(input.name), 1, 255);
  checkLength(problems, ['input', 'description'], presentText(input.description), 1, 2000);
  checkRange(problems, ['input', 'percentBasisPoints'], input.percentBasisPoints, 1, 10_000);
  for (const limit of ['usageLimit', 'usageLimitPerCustomer'] as const) {
    checkRange(problems, ['input', limit], input[limit], 1, MAX_LIMIT);
  }
  checkRange(problems, ['input', 'stackingOrder'], input.stackingOrder, -MAX_STACKING, MAX_STACKING);
  checkMetadata(problems, ['input', 'metadata'], input.metadata);
  const columns: GivenColumns = { ...takenOff(problems, input) };
  if (input.minimumSpends !== undefined) {
    columns.minimumSpendsMinor = minorByCurrency(problems, 'minimumSpends', input.minimumSpends);
  }
  if (input.name !== undefined) columns.name = presentText(input.name);
  if (input.description !== undefined) columns.description = presentText(input.description);
  for (const instant of ['startsAt', 'expiresAt'] as const) {
    if (input[instant] !== undefined) columns[instant] = input[instant];
  }
  for (const limit of ['usageLimit', 'usageLimitPerCustomer'] as const) {
    if (input[limit] !== undefined) columns[limit] = input[limit];
  }
  if (input.isCombinable != null) columns.isCombinable = input.isCombinable;
  if (input.stackingOrder != null) columns.stackingOrder = input.stackingOrder;
  return columns;
}

/** A percentage or amounts, in the place of what there was; neither where neither is given. */
function takenOff(problems: UserErrorData[], input: Fields): Pick<GivenColumns, 'percentBasisPoints' | 'amountsMinor'> {
  const amounts = minorByCurrency(problems, 'amounts', input.amounts);
  const hasAmounts = (input.amounts ?? []).length > 0;
  const percentBasisPoints = input.percentBasisPoints ?? null;
  if (percentBasisPoints !== null && hasAmounts) {
    const message = 'Give a percentage or amounts, not both.';
    problems.push(userError('InvalidInput', ['input', 'amounts'], message));
  }
  if (percentBasisPoints !== null) return { percentBasisPoints, amountsMinor: {} };
  if (hasAmounts) return { percentBasisPoints: null, amountsMinor: amounts };
  // Cleared, with nothing in its place: that is refused where it is known what there was.
  return {
    ...(input.percentBasisPoints === null ? { percentBasisPoints } : {}),
    ...(input.amounts !== undefined ? { amountsMinor: amounts } : {}),
  };
}

function minorByCurrency(
  problems: UserErrorData[],
  field: 'amounts' | 'minimumSpends',
  given: readonly DiscountAmountInput[] | null | undefined,
): MinorByCurrency {
  const minor: MinorByCurrency = {};
  if ((given ?? []).length > MAX_CURRENCIES) {
    const message = `Give at most ${MAX_CURRENCIES}; there are ${given?.length}.`;
    problems.push(userError('InvalidInput', ['input', field], message));
  }
  (given ?? []).forEach((one, index) => {
    const at = ['input', field, index];
    const units = checkAmount(problems, one, 'ABOVE_ZERO', at);
    if (one.currencyCode in minor) {
      const message = `${one.currencyCode} is given twice. Give each currency once.`;
      problems.push(userError('InvalidInput', [...at, 'currencyCode'], message));
    }
    minor[one.currencyCode] = units.toString();
  });
  return minor;
}

/** Adds what is wrong with a discount as a whole, once it is known what it is or will be. */
export function checkWhole(
  problems: UserErrorData[],
  discount: Pick<Discount, 'percentBasisPoints' | 'amountsMinor' | 'startsAt' | 'expiresAt'>,
): void {
  const { percentBasisPoints, amountsMinor, startsAt, expiresAt } = discount;
  if (percentBasisPoints === null && Object.keys(amountsMinor as object).length === 0) {
    const message = 'A discount takes something off. Give `percentBasisPoints`, or `amounts`.';
    problems.push(userError('InvalidInput', ['input', 'percentBasisPoints'], message));
  }
  if (startsAt !== null && expiresAt !== null && expiresAt <= startsAt) {
    const message = 'It would end before it starts. Give an end after the start.';
    problems.push(userError('InvalidExpiry', ['input', 'expiresAt'], message));
  }
}
