import { createHash } from 'node:crypto';
import { globalId, newId } from '../kernel/id.js';
import type { Tenant } from '../kernel/requestContext.js';
import type { SqlTx } from '../kernel/transaction.js';
import type { LicenseFileClaims } from './licenseFile.js';
import { entryOf } from './revocations.js';
import type { UsableKey } from './usableKey.js';

/** The instants of a file. */
export interface FileTerms {
  readonly issuedAt: Date;
  readonly expiresAt: Date;
  readonly graceUntil: Date;
}

/** A step: what a file says. Nothing in it names the customer, and the fingerprint only as a hash that no other key shares. */
export async function claimsOf(
  tx: SqlTx,
  tenant: Tenant,
  {
    found,
    told,
    products,
    fingerprint,
    subjectIds,
  }: UsableKey & { fingerprint: string; subjectIds: readonly string[] },
  { issuedAt, expiresAt, graceUntil }: FileTerms,
): Promise<LicenseFileClaims> {
  const { brand, listVersion } = await brandAndList(tx, tenant, found.brandId);
  const { key } = found;
  const licenseKeyId = globalId('LicenseKey', key.id);
  const { product, license, activation, entitlements } = told;
  return {
    iss: globalId('Business', tenant.businessId),
    jti: newId(),
    ...{ iat: seconds(issuedAt), nbf: seconds(issuedAt), exp: seconds(graceUntil) },
    testMode: tenant.mode === 'TEST',
    brand,
    licenseKey: { id: licenseKeyId, expiresAt: key.expiresAt?.toISOString() ?? null },
    license: license && {
      ...{ status: license.status, type: license.type, validFrom: license.validFrom.toISOString() },
      ...{ validUntil: license.validUntil?.toISOString() ?? null, isPermanent: license.isPermanent },
    },
    product: product && { sku: product.sku, name: product.name },
    productSkus: products.map(({ sku }) => sku),
    entitlements,
    device: {
      fingerprintHash: createHash('sha256').update(`${licenseKeyId}\n${fingerprint}`).digest('base64url'),
      activationId: activation && globalId('Activation', activation.id),
    },
    issuedAt: issuedAt.toISOString(),
    notBefore: issuedAt.toISOString(),
    expiresAt: expiresAt.toISOString(),
    graceUntil: graceUntil.toISOString(),
    revocation: { entries: subjectIds.map((id) => entryOf(tenant, id)), listVersion },
  };
}

function seconds(instant: Date): number {
  return Math.floor(instant.getTime() / 1_000);
}

async function brandAndList(tx: SqlTx, { businessId, mode }: Tenant, brandId: string) {
  const [row] = await tx.sql<{ brand: string; listVersion: string }>(
    'brand_and_list_of_file',
    `SELECT b.url AS brand, coalesce((SELECT version FROM revocation_lists WHERE business_id = $1 AND mode = $3), 0)::text
        AS "listVersion"
      FROM brands b WHERE b.business_id = $1 AND b.id = $2`,
    [businessId, brandId, mode],
  );
  if (!row) throw new Error('the key has no brand');
  return row;
}
