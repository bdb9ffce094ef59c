import type { ProductKeyAccessCode, ProductKeyAccessReason, QueryProductKeyAccessArgs } from '../generated/graphql.js';
import type { ProductKeyMeter, ProductKeyStatus } from '../generated/prisma/client.js';
import { uuidOf } from '../kernel/id.js';
import { tenantViewer, type RequestContext } from '../kernel/requestContext.js';
import { presentText } from '../kernel/text.js';
import { keyHmacsIn } from '../licenseKeys/keyHmacs.js';
import { normalizeKey } from '../licenseKeys/licenseKey.js';
import { statusOf } from '../productKeys/life.js';
import { meterAsOf, remainingOf } from '../productKeys/meter.js';
import { accessStatement } from './accessStatement.js';
import { judgeAccess, type Consumer, type KeyFacts, type ProductFacts } from './judgeAccess.js';
import { reasonsOf } from './reasons.js';

/** Whether somebody may use a product by a key, and every reason why not. */
export interface Access {
  readonly allowed: boolean;
  readonly reasons: readonly ProductKeyAccessReason[];
  /** Null: there is none here. */
  readonly productKeyId: string | null;
  readonly status: ProductKeyStatus | null;
  readonly remainingQuota: bigint | null;
  readonly quotaPeriodEnd: Date | null;
  readonly graceUntil: Date | null;
  readonly checkedAt: Date;
}

interface AccessRow extends KeyFacts, ProductFacts, ProductKeyMeter {
  productKeyId: string | null;
  isInOtherMode: boolean;
  brandId: string;
}

const MAX_KEY = 512;

/** Whether somebody may use a product by a product key now: one prepared statement, whatever the key is. */
export async function productKeyAccess(
  ctx: RequestContext,
  { key, productSku, consumerEmail, organizationId }: QueryProductKeyAccessArgs,
): Promise<Access> {
  if (normalizeKey(key) === '') return refused(ctx, 'KEY_BLANK');
  if ([...key.trim()].length > MAX_KEY) return refused(ctx, 'KEY_TOO_LONG');
  const consumer: Consumer = {
    email: presentText(consumerEmail)?.normalize('NFC') ?? null,
    organizationId: presentText(organizationId) === null ? null : uuidOf('Organization', organizationId as string),
  };
  const { brandId } = tenantViewer(ctx);
  const [row] = await readAccess(ctx, key, productSku, consumer);
  if (!row) throw new Error('the statement of an access gave no row');
  if (row.productKeyId === null) return refused(ctx, row.isInOtherMode ? 'KEY_OF_OTHER_MODE' : 'KEY_NOT_FOUND');
  if (brandId !== null && brandId !== row.brandId) return refused(ctx, 'BRAND_MISMATCH');
  const meter = meterAsOf(row, row.startsAt, ctx.now);
  const reasons = reasonsOf(new Set(judgeAccess(row, meter, row, consumer, ctx.now)));
  return {
    allowed: reasons.length === 0,
    reasons,
    productKeyId: row.productKeyId,
    status: statusOf(row, ctx.now),
    remainingQuota: remainingOf(meter),
    quotaPeriodEnd: meter.periodEndsAt,
    graceUntil: row.graceUntil,
    checkedAt: ctx.now,
  };
}

function readAccess(
  ctx: RequestContext,
  key: string,
  productSku: string,
  { email, organizationId }: Consumer,
): Promise<AccessRow[]> {
  const { businessId, mode } = tenantViewer(ctx);
  const values = keyHmacsIn(ctx.keyring, businessId, ['LIVE', 'TEST'], key);
  const lookups = [values.map((value) => value.mode), values.map(({ keyHmac }) => keyHmac)];
  const asked = [businessId, mode, ...lookups, productSku.trim(), email, organizationId];
  return ctx.db.sql<AccessRow>('product_key_access', accessStatement, asked);
}

/** Of a key that is not here nothing else is told. */
function refused({ now }: RequestContext, code: ProductKeyAccessCode): Access {
  const nothing = { productKeyId: null, status: null, remainingQuota: null, quotaPeriodEnd: null, graceUntil: null };
  return { allowed: false, reasons: reasonsOf(new Set([code])), ...nothing, checkedAt: now };
}
