import type { DiscountRefusalReason } from '../generated/graphql.js';
import { userError, type UserErrorData } from '../kernel/refusal.js';

const messages: Record<DiscountRefusalReason, string> = {
  UNKNOWN_CODE: 'No discount has this code. Check its spelling.',
  GIVEN_TWICE: 'Another code of the same discount is given: each discount counts once. Leave one out.',
  ARCHIVED: 'The discount is no longer offered. Leave the code out.',
  NOT_STARTED: 'The discount does not hold yet. Leave the code out, or come back later.',
  EXPIRED: 'The discount has expired. Leave the code out.',
  USED_UP: 'The discount is used up. Leave the code out.',
  CODE_USED_UP: 'The code has been used. Leave it out, or give another one.',
  CUSTOMER_NOT_ELIGIBLE: 'The discount is not for this customer. Leave the code out.',
  CUSTOMER_LIMIT_REACHED: 'The customer has used the discount as often as one can. Leave the code out.',
  NOT_COMBINABLE: 'The discount cannot be used together with others. Give only this code, or leave it out.',
  NOT_FOR_THIS: 'The discount is for other products. Leave the code out.',
  CURRENCY_NOT_COVERED: 'The discount does not hold in this currency. Leave the code out.',
  MINIMUM_SPEND_NOT_MET: 'The discount holds for larger purchases only. Buy more, or leave the code out.',
  NO_EFFECT: 'The discount would take off nothing, so it is not used. Leave the code out.',
};

/** The refusal of a code. @param path where the input gives it */
export function discountNotApplicable(path: readonly string[], reason: DiscountRefusalReason): UserErrorData {
  return userError('DiscountNotApplicable', path, messages[reason], { reason });
}
