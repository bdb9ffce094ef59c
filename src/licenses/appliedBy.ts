import { customerMissing } from '../customers/lockCustomer.js';
import type { ApplyLicenseInput } from '../generated/graphql.js';
import type { Customer } from '../generated/prisma/client.js';
import { uuidOf } from '../kernel/id.js';
import { refusal, refuseIfAny, userError, type UserErrorData } from '../kernel/refusal.js';
import { tenantOf, tenantViewer, type RequestContext } from '../kernel/requestContext.js';
import { presentText } from '../kernel/text.js';
import type { SqlTx } from '../kernel/transaction.js';

type Names = Pick<ApplyLicenseInput, 'customerId' | 'customerCode'>;

/**
 * What is wrong with what names the license and the customer, all at once, no I/O.
 * @throws Refusal InvalidInput unless one of `licenseId` and `key` is given, and a customer by an API key
 */
export function checkApplication(ctx: RequestContext, input: ApplyLicenseInput): void {
  const problems: UserErrorData[] = [];
  if ((presentText(input.licenseId) === null) === (presentText(input.key) === null)) {
    problems.push(userError('InvalidInput', ['input', 'licenseId'], 'Give `licenseId` or `key`: one of the two.'));
  }
  const isNamed = presentText(input.customerId) !== null || presentText(input.customerCode) !== null;
  if (!isNamed && tenantViewer(ctx).principal !== 'CUSTOMER') {
    const message = 'Name the customer by `customerId` or `customerCode`: an API key applies for somebody.';
    problems.push(userError('InvalidInput', ['input', 'customerId'], message));
  }
  refuseIfAny(problems);
}

/**
 * A step: the customer who applies a license: the one that is named, by id, or by code and then number; a session's own one, which
 * nobody else can be.
 * @throws Refusal CustomerNotFound, ModeMismatch
 */
export async function findApplicant(
  tx: SqlTx,
  names: Names,
): Promise<{ customer: Pick<Customer, 'id' | 'brandId'>; path: string[] }> {
  const viewer = tenantViewer(tx.ctx);
  const code = presentText(names.customerCode);
  const given = presentText(names.customerId);
  const id = given === null ? null : uuidOf('Customer', given);
  const own = viewer.principal === 'CUSTOMER' ? viewer.customerId : null;
  const path = ['input', code === null ? 'customerId' : 'customerCode'];
  const byId = id === null && (code !== null || own === null) ? null : await findById(tx, id ?? (own as string));
  if (id !== null && (!byId || (own !== null && id !== own))) throw await customerMissing(tx, id);
  const customer = code === null ? byId : await findByCode(tx, code);
  const isSomebodyElse = (byId && customer?.id !== byId.id) || (own !== null && customer?.id !== own);
  if (customer && !isSomebodyElse) return { customer, path };
  throw refusal('CustomerNotFound', path, 'No customer has this code or number.');
}

type Found = Pick<Customer, 'id' | 'brandId'>;

async function findById(tx: SqlTx, id: string): Promise<Found | null> {
  const { businessId, mode } = tenantOf(tx.ctx);
  const [customer] = await tx.sql<Found>(
    'customer_by_id',
    `SELECT id, brand_id AS "brandId" FROM customers WHERE business_id = $1 AND mode = $2 AND id = $3`,
    [businessId, mode, id],
  );
  return customer ?? null;
}

async function findByCode(tx: SqlTx, code: string): Promise<Found | null> {
  const { businessId, mode } = tenantOf(tx.ctx);
  const [customer] = await tx.sql<Found>(
    'customer_by_code',
    `SELECT c.id, c.brand_id AS "brandId" FROM customers c
      WHERE c.business_id = $1 AND c.mode = $2 AND (c.code = $3 OR c.number = $3)
      ORDER BY c.code = $3 DESC NULLS LAST LIMIT 1`,
    [businessId, mode, code],
  );
  return customer ?? null;
}
