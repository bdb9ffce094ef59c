import type { DeviceTenant } from '../activations/keyForDevice.js';
import type { LicenseKeyCheckCode } from '../generated/graphql.js';
import { refusal, type Refusal } from '../kernel/refusal.js';
import { presentText } from '../kernel/text.js';
import type { SqlTx } from '../kernel/transaction.js';
import { checksOf, isValid } from '../validation/checks.js';
import type { JudgedLicense, KeyFacts, ProductFacts } from '../validation/facts.js';
import { judge } from '../validation/judge.js';
import { keyProblem } from '../validation/keyProblem.js';
import { readFacts } from '../validation/readFacts.js';
import { toldOf } from '../validation/validateLicenseKeys.js';

/** A key that is valid on a device now, and what its file tells of it. */
export interface UsableKey {
  readonly found: KeyFacts;
  /** The license that it was judged by, as it is now. */
  readonly license: JudgedLicense | null;
  readonly products: readonly ProductFacts[];
  readonly told: ReturnType<typeof toldOf>;
  /** Until when it works as things stand; null: for ever. */
  readonly keyEnds: Date | null;
}

/** What a caller asks to check out. */
interface AskedKey {
  readonly key: string;
  readonly fingerprint: string;
  readonly productSku?: string | null;
}

/**
 * A step, one statement: looks a key up and judges it on a device by the rules of `validateLicenseKey`.
 * @param known called when there is such a key
 * @throws Refusal LicenseKeyNotValid with every check that failed
 */
export async function usableKey(
  tx: SqlTx,
  tenant: DeviceTenant,
  { key, fingerprint, productSku }: AskedKey,
  known: () => void,
): Promise<UsableKey> {
  const problem = keyProblem(tenant.holder, key);
  if (problem) throw notValid([problem]);
  const { now } = tx.ctx;
  const question = { productSku: presentText(productSku), version: null, customerNumber: null, fingerprint, at: now };
  const [facts] = await readFacts(tx.ctx, tx.sql, tenant.holder, [{ ...question, key, mode: tenant.mode }]);
  if (!facts) throw new Error('a question had no answer');
  if (facts.found || facts.isInOtherMode) known();
  const judgment = judge(tenant.holder, facts, question, now);
  const codes = [...judgment.codes];
  if (!facts.found || !isValid(checksOf(judgment.codes))) throw notValid(codes);
  const { license, expiresAt } = judgment;
  return {
    found: facts.found,
    license,
    products: productsOf(facts.found, license),
    told: toldOf(facts, judgment, now),
    keyEnds: expiresAt,
  };
}

function productsOf({ licenses, products }: KeyFacts, judged: JudgedLicense | null): readonly ProductFacts[] {
  return judged ? (licenses.find(({ license }) => license.id === judged.id)?.products ?? []) : products;
}

const ofDevice: ReadonlySet<LicenseKeyCheckCode> = new Set([
  'DEVICE_NOT_ACTIVATED',
  'DEVICE_DEACTIVATED',
  'DEVICE_LEASE_LAPSED',
  'ACTIVATION_LIMIT_REACHED',
  'ACTIVATION_LIMIT_EXCEEDED',
]);

/** Why there is no file: the device, where the key is good on others; else the key. */
function notValid(codes: readonly LicenseKeyCheckCode[]): Refusal {
  const checks = checksOf(new Set(codes));
  const errors = checks.filter(({ severity }) => severity === 'ERROR');
  const field = errors.every(({ code }) => ofDevice.has(code)) ? 'fingerprint' : 'key';
  return refusal('LicenseKeyNotValid', ['input', field], `${errors[0]?.message} ${errors[0]?.remedy}`, { checks });
}
