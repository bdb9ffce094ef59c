import { recordChange } from '../events/recordChange.js';
import type { CreateDiscountInput } from '../generated/graphql.js';
import type { Discount } from '../generated/prisma/client.js';
import { newId } from '../kernel/id.js';
import { refusal, refuseIfAny, userError, type UserErrorData } from '../kernel/refusal.js';
import { tenantOf, type RequestContext } from '../kernel/requestContext.js';
import { checkLength, mergedMetadata, presentText } from '../kernel/text.js';
import { inSqlTransaction, type ConflictRefusals, type SqlTx } from '../kernel/transaction.js';
import { codeKeyOf, generatedCode } from './code.js';
import { checkWhole, givenColumns } from './discountInput.js';
import { limitedTo, type LimitedTo } from './limitedTo.js';

const conflicts: ConflictRefusals = {
  discount_codes_business_id_mode_code_key_key: () =>
    userError('DiscountCodeTaken', ['input', 'code'], 'Another discount has this code. Choose another one.'),
};

/**
 * Creates a discount with its own code (as Bytex generates them, unless the caller gives one).
 * @throws Refusal InvalidInput, InvalidAmount, InvalidCurrency, InvalidExpiry, whatever `limitedTo` refuses, DiscountCodeTaken
 */
export async function createDiscount(ctx: RequestContext, input: CreateDiscountInput): Promise<{ discountId: string }> {
  const problems: UserErrorData[] = [];
  const code = presentText(input.code);
  checkLength(problems, ['input', 'code'], code, 3, 64);
  const fields = { ...unlimited, ...givenColumns(problems, input) };
  checkWhole(problems, fields);
  refuseIfAny(problems);
  return inSqlTransaction(
    ctx,
    async (tx) => {
      // In here, behind the idempotency key: a retry gets its result even when the end has passed meanwhile.
      if (fields.expiresAt && fields.expiresAt <= ctx.now) {
        throw refusal('InvalidExpiry', ['input', 'expiresAt'], 'The end has passed. Give one in the future.');
      }
      const limits = { ...nothing, ...(await limitedTo(tx, input)) };
      const metadata = mergedMetadata({}, input.metadata);
      return { discountId: addDiscount(tx, { ...fields, ...limits, metadata, code: code ?? generatedCode() }) };
    },
    conflicts,
  );
}

/** A discount that was given nothing. */
const unlimited = {
  name: null,
  description: null,
  percentBasisPoints: null,
  amountsMinor: {},
  minimumSpendsMinor: {},
  startsAt: null,
  expiresAt: null,
  usageLimit: null,
  usageLimitPerCustomer: null,
  isCombinable: false,
  stackingOrder: 0,
};

const nothing: LimitedTo = { productIds: [], packageIds: [], productOfferingIds: [], customerIds: [] };

type NewDiscount = Omit<
  Discount,
  'businessId' | 'mode' | 'id' | 'usedCount' | 'archivedAt' | 'version' | 'createdAt' | 'updatedAt'
>;

function addDiscount(tx: SqlTx, fields: NewDiscount): string {
  const { now } = tx.ctx;
  const tenant = tenantOf(tx.ctx);
  const id = newId();
  const born = { usedCount: 0, archivedAt: null, version: 1, createdAt: now, updatedAt: now };
  const discount: Discount = { ...tenant, id, ...fields, ...born };
  const { code } = discount;
  const counted = { usageLimit: null, usedCount: 0, createdAt: now };
  // JSON columns are read from rows as any JSON value, and written as one.
  tx.insert('discounts', discount as never);
  tx.insert('discount_codes', {
    ...tenant,
    id: newId(),
    discountId: id,
    batchId: null,
    code,
    codeKey: codeKeyOf(code),
    ...counted,
  });
  recordChange(tx, { type: 'discount.created', objectType: 'Discount', objectId: id, sequence: 1, snapshot: discount });
  return id;
}
