import type { DeactivateLicenseKeyInput } from '../generated/graphql.js';
import type { Activation } from '../generated/prisma/client.js';
import { refuseOtherBrands } from '../kernel/brand.js';
import { uuidOf } from '../kernel/id.js';
import { missing } from '../kernel/missing.js';
import { refusal, refuseIfAny, userError, type Refusal, type UserErrorData } from '../kernel/refusal.js';
import type { RequestContext, Tenant } from '../kernel/requestContext.js';
import { presentText } from '../kernel/text.js';
import { inSqlTransaction, type SqlTx } from '../kernel/transaction.js';
import { deviceTenant, findKey, tryingKey, type ActivationRefs, type DeviceTenant } from './keyForDevice.js';
import { lockActivation } from './lockActivation.js';
import { lockKey } from './lockKey.js';
import { releaseSeats } from './seats.js';
import { endActivation } from './writeActivation.js';

/** Which device of which key. */
type Device = Pick<Activation, 'licenseKeyId' | 'fingerprint'>;

/**
 * Ends a device's activation and frees its seat, whether or not the key is still valid; what has ended already stays as it is.
 * Who holds the key needs no token; a session may name its own customer's devices by id, an API key any of its business.
 * @throws Refusal InvalidInput, ModeMismatch, BrandMismatch, ActivationNotFound (the same for unknown keys); ClientError
 *   BRAND_NOT_FOUND, RATE_LIMITED
 */
export async function deactivateLicenseKey(
  ctx: RequestContext,
  input: DeactivateLicenseKeyInput,
): Promise<ActivationRefs> {
  refuseIfAny(problemsOf(ctx, input));
  const tenant = await deviceTenant(ctx, input);
  const key = presentText(input.key);
  if (key === null) return inSqlTransaction(ctx, async (tx) => end(tx, tenant, await deviceById(tx, tenant, input)));
  return tryingKey(ctx, (known) =>
    inSqlTransaction(ctx, async (tx) => end(tx, tenant, await deviceOfKey(tx, tenant, { ...input, key }, known))),
  );
}

function problemsOf({ viewer }: RequestContext, input: DeactivateLicenseKeyInput): UserErrorData[] {
  const { key, fingerprint, activationId } = input;
  const problems: UserErrorData[] = [];
  if ((fingerprint == null) === (activationId == null)) {
    problems.push(
      userError('InvalidInput', ['input', 'fingerprint'], 'Give `fingerprint` or `activationId`, and not both.'),
    );
  }
  if (presentText(key) === null && (viewer.principal === 'PUBLIC' || activationId == null)) {
    const message = 'Give the key. It is needless with a token and `activationId`.';
    problems.push(userError('InvalidInput', ['input', 'key'], message));
  }
  return problems;
}

async function end(tx: SqlTx, tenant: Tenant, { licenseKeyId, fingerprint }: Device): Promise<ActivationRefs> {
  await lockKey(tx, tenant, licenseKeyId);
  const activation = await lockActivation(tx, tenant, licenseKeyId, fingerprint);
  if (!activation) throw new Error('an activation is gone');
  if (activation.endedAt === null) {
    await endActivation(tx, activation);
    await releaseSeats(tx, tenant, licenseKeyId, 1);
  }
  return { activationId: activation.id, businessId: tenant.businessId, mode: tenant.mode };
}

/** The device of who holds the key: a text that has been replaced for good is no key any more. */
async function deviceOfKey(
  tx: SqlTx,
  tenant: DeviceTenant,
  { key, fingerprint, activationId }: DeactivateLicenseKeyInput & { key: string },
  known: () => void,
): Promise<Device> {
  const { found, codes, isKnown } = await findKey(tx, tenant, { key, fingerprint: fingerprint ?? null });
  if (isKnown) known();
  if (!found || codes.includes('KEY_REPLACED')) throw notFound(['input', 'key']);
  const licenseKeyId = found.key.id;
  if (activationId == null) {
    if (!found.device) throw notFound(['input', 'fingerprint']);
    return { licenseKeyId, fingerprint: found.device.activation.fingerprint };
  }
  const device = await readDevice(tx, tenant, activationId);
  if (device?.licenseKeyId !== licenseKeyId) throw notFound(['input', 'activationId']);
  return device;
}

/** The device that a session or an API key names by its activation. */
async function deviceById(
  tx: SqlTx,
  tenant: DeviceTenant,
  { activationId }: DeactivateLicenseKeyInput,
): Promise<Device> {
  const path = ['input', 'activationId'];
  const device = await readDevice(tx, tenant, activationId ?? '');
  const { viewer } = tx.ctx;
  if (!device || (viewer.principal === 'CUSTOMER' && viewer.customerId !== device.customerId)) {
    const id = uuidOf('Activation', activationId ?? '');
    throw await missing(tx, 'Activation', id, path, 'ActivationNotFound', notFoundMessage);
  }
  refuseOtherBrands(tx.ctx, { brandId: device.brandId, path });
  return device;
}

async function readDevice(tx: SqlTx, { businessId, mode }: Tenant, activationId: string) {
  const [device] = await tx.sql<Device & { customerId: string; brandId: string }>(
    'device_of_activation',
    `SELECT a.license_key_id AS "licenseKeyId", a.fingerprint, a.customer_id AS "customerId", c.brand_id AS "brandId"
      FROM activations a JOIN customers c ON c.business_id = a.business_id AND c.mode = a.mode AND c.id = a.customer_id
      WHERE a.business_id = $1 AND a.mode = $2 AND a.id = $3`,
    [businessId, mode, uuidOf('Activation', activationId)],
  );
  return device ?? null;
}

const notFoundMessage = 'There is no such activation. Check the key, and the fingerprint or id.';

function notFound(path: readonly string[]): Refusal {
  return refusal('ActivationNotFound', path, notFoundMessage);
}
