import type { ImportLicenseKeysInput } from '../generated/graphql.js';
import { refusal } from '../kernel/refusal.js';
import type { RequestContext } from '../kernel/requestContext.js';
import { mergedMetadata } from '../kernel/text.js';
import { inSqlTransaction, type SqlTx } from '../kernel/transaction.js';
import { addLicenseKey, sealedKey } from './addLicenseKey.js';
import { claimTexts, refuseAllIfAny, type RowResult } from './claimTexts.js';
import { findNamed, importedRows, type ImportedRow } from './importedRows.js';

/** What became of a row; `licenseKeyId` is null when it was refused. */
export interface LicenseKeyRowResult extends RowResult {
  readonly licenseKeyId: string | null;
}

/**
 * Takes over keys that were made elsewhere, a handful of statements for all rows. Nobody is mailed, and nothing is granted. Of
 * two imports of one key at once, one has it and the other is told that it is taken.
 * @throws Refusal InvalidInput without rows; with ALL_OR_NOTHING what is wrong with all rows: KeyBlank, InvalidInput,
 *   InvalidActivationsLimit, CustomerNotFound, LicenseNotFound, ModeMismatch, BrandMismatch, ReservedKeyPrefix, LicenseKeyTaken
 */
export async function importLicenseKeys(
  ctx: RequestContext,
  input: ImportLicenseKeysInput,
): Promise<{ results: LicenseKeyRowResult[] }> {
  if (input.rows.length === 0) throw refusal('InvalidInput', ['input', 'rows'], 'Give at least one row.');
  return inSqlTransaction(ctx, async (tx) => {
    const rows = importedRows(input.rows);
    await findNamed(tx, rows);
    await claimTexts(tx, rows);
    refuseAllIfAny(input.onError ?? 'ROW_BY_ROW', rows);
    return { results: rows.map((row) => resultOf(tx, row)) };
  });
}

function resultOf(tx: SqlTx, { index, problems, ...row }: ImportedRow): LicenseKeyRowResult {
  if (problems.length > 0 || row.customerId === null) return { index, licenseKeyId: null, userErrors: problems };
  const { customerId, licenseId, given } = row;
  const { id } = addLicenseKey(tx, {
    customerId,
    licenseId,
    // Its look-up values are written already, as those of a drawn key.
    key: sealedKey(tx, row.key, row.licenseKeyId),
    source: 'IMPORTED',
    activationsLimit: given.activationsLimit ?? null,
    expiresAt: given.expiresAt ?? null,
    metadata: mergedMetadata({}, given.metadata),
  });
  return { index, licenseKeyId: id, userErrors: [] };
}
