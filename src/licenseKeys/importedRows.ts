import { erasedMessage } from '../kernel/erased.js';
import type { ImportLicenseKeyRow } from '../generated/graphql.js';
import type { Mode } from '../kernel/viewer.js';
import { newId, uuidOf } from '../kernel/id.js';
import { userError, type UserErrorData } from '../kernel/refusal.js';
import { tenantViewer } from '../kernel/requestContext.js';
import { checkMetadata, presentText } from '../kernel/text.js';
import type { SqlTx } from '../kernel/transaction.js';
import type { TextRow } from './claimTexts.js';
import { checkKey, checkKeyLimits } from './licenseKey.js';

/** A row of an import with what it names, as far as it was found. */
export interface ImportedRow extends TextRow {
  readonly licenseKeyId: string;
  readonly given: ImportLicenseKeyRow;
  customerId: string | null;
  readonly licenseId: string | null;
}

/** The rows of an import with what is wrong with each that needs no I/O. */
export function importedRows(rows: readonly ImportLicenseKeyRow[]): ImportedRow[] {
  return rows.map((given, index) => {
    const path = ['input', 'rows', index];
    const problems: UserErrorData[] = [];
    checkKey(problems, [...path, 'key'], given.key);
    // A key that expired elsewhere has expired here, too.
    checkKeyLimits(problems, path, { activationsLimit: given.activationsLimit }, new Date(0));
    checkMetadata(problems, [...path, 'metadata'], given.metadata);
    const names = [given.customerId, given.customerCode, given.customerExternalId].map(presentText);
    const count = names.filter((name) => name !== null).length;
    if (count > 1 || (count === 0 && given.licenseId == null)) {
      const message =
        'Name the customer once: by `customerId`, `customerCode` or `customerExternalId`, or by `licenseId`.';
      problems.push(userError('InvalidInput', path, message));
    }
    const licenseId = given.licenseId == null ? null : uuidOf('License', given.licenseId);
    const row = { index, key: given.key.trim(), licenseKeyId: newId(), poolKeyId: null, problems };
    return { ...row, given, customerId: null, licenseId };
  });
}

interface FoundCustomer {
  id: string;
  mode: Mode;
  brandId: string;
  code: string | null;
  externalId: string | null;
  isErased: boolean;
}

const fields =
  'id, mode, brand_id AS "brandId", code, external_id AS "externalId", erased_at IS NOT NULL AS "isErased"';
const customersText = `SELECT ${fields} FROM customers WHERE business_id = $1 AND mode IN ('LIVE', 'TEST') AND id = ANY($3::uuid[])
  UNION SELECT ${fields} FROM customers WHERE business_id = $1 AND mode = $2 AND code = ANY($4::text[])
  UNION SELECT ${fields} FROM customers WHERE business_id = $1 AND mode = $2 AND external_id = ANY($5::text[])`;

interface FoundLicense {
  id: string;
  mode: Mode;
  customerId: string;
  brandId: string;
  isCancelled: boolean;
}

/** Held until the transaction ends, so that a cancellation at the same time finds the new keys. */
const licensesText = `SELECT l.id, l.mode, l.customer_id AS "customerId", c.brand_id AS "brandId",
    l.status = 'CANCELLED' OR (l.pending_status = 'CANCELLED' AND l.pending_status_at <= $3) IS TRUE AS "isCancelled"
  FROM licenses l JOIN customers c ON c.business_id = l.business_id AND c.mode = l.mode AND c.id = l.customer_id
  WHERE l.business_id = $1 AND l.mode IN ('LIVE', 'TEST') AND l.id = ANY($2::uuid[]) ORDER BY l.id FOR SHARE OF l`;

/**
 * A step, two statements for all rows: finds the customers and licenses that rows name. What is not there, is of the other mode
 * or another brand, or does not fit, becomes a problem of its row: CustomerNotFound, LicenseNotFound, ModeMismatch,
 * BrandMismatch, CustomerErased, InvalidInput.
 */
export async function findNamed(tx: SqlTx, rows: readonly ImportedRow[]): Promise<void> {
  const { businessId, mode, brandId } = tenantViewer(tx.ctx);
  const named = (name: 'customerId' | 'customerCode' | 'customerExternalId') =>
    rows.flatMap(({ given }) => presentText(given[name]) ?? []);
  const ids = named('customerId').map((id) => uuidOf('Customer', id));
  const values = [businessId, mode, ids, named('customerCode'), named('customerExternalId')];
  const customers = await tx.sql<FoundCustomer>('customers_of_import', customersText, values);
  const licenseIds = rows.flatMap(({ licenseId }) => licenseId ?? []);
  const licenses = await tx.sql<FoundLicense>('licenses_of_import', licensesText, [businessId, licenseIds, tx.ctx.now]);
  const customerById = new Map(customers.map((customer) => [customer.id, customer]));
  const own = customers.filter((customer) => customer.mode === mode);
  const byCode = new Map(own.map((customer) => [customer.code, customer]));
  const byExternalId = new Map(own.map((customer) => [customer.externalId, customer]));
  const licenseById = new Map(licenses.map((license) => [license.id, license]));
  for (const row of rows.filter(({ problems }) => problems.length === 0)) {
    const { given } = row;
    const [id, code, externalId] = [given.customerId, given.customerCode, given.customerExternalId].map(presentText);
    const path = ['input', 'rows', row.index];
    if (id != null)
      customerOf(row, [...path, 'customerId'], customerById.get(uuidOf('Customer', id)), { mode, brandId });
    else if (code != null) customerOf(row, [...path, 'customerCode'], byCode.get(code), { mode, brandId });
    else if (externalId != null)
      customerOf(row, [...path, 'customerExternalId'], byExternalId.get(externalId), { mode, brandId });
    if (row.licenseId !== null)
      licenseOf(row, [...path, 'licenseId'], licenseById.get(row.licenseId), { mode, brandId });
  }
}

type Path = readonly (string | number)[];
type Caller = { mode: Mode; brandId: string | null };

function customerOf(row: ImportedRow, path: Path, found: FoundCustomer | undefined, caller: Caller): void {
  if (!found) row.problems.push(userError('CustomerNotFound', path, 'There is no such customer.'));
  else if (isOurs(row, path, found, caller)) {
    row.customerId = found.id;
    if (found.isErased) row.problems.push(userError('CustomerErased', path, erasedMessage));
  }
}

function licenseOf(row: ImportedRow, path: Path, found: FoundLicense | undefined, caller: Caller): void {
  if (!found) {
    row.problems.push(userError('LicenseNotFound', path, 'There is no license with this id.'));
  } else if (isOurs(row, path, found, caller)) {
    row.customerId ??= found.customerId;
    if (found.isCancelled) {
      row.problems.push(userError('InvalidInput', path, 'The license is cancelled. Give another one, or none.'));
    }
    if (found.customerId !== row.customerId) {
      row.problems.push(
        userError('InvalidInput', path, "The license is another customer's. Give one of the same customer."),
      );
    }
  }
}

function isOurs(
  row: ImportedRow,
  path: Path,
  found: { mode: Mode; brandId: string },
  { mode, brandId }: Caller,
): boolean {
  if (found.mode !== mode) {
    const other = found.mode.toLowerCase();
    row.problems.push(userError('ModeMismatch', path, `The object is ${other} data; use an API key of that mode.`));
  } else if (brandId !== null && found.brandId !== brandId) {
    const message = 'This belongs to another brand. Use objects of one brand, and its URL in `Brand-URL`.';
    row.problems.push(userError('BrandMismatch', path, message));
  } else {
    return true;
  }
  return false;
}
