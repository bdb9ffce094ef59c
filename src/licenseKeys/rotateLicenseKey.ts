import type { RotateLicenseKeyInput } from '../generated/graphql.js';
import type { LicenseKey } from '../generated/prisma/client.js';
import { newId } from '../kernel/id.js';
import { refusal, refuseIfAny, type UserErrorData } from '../kernel/refusal.js';
import type { RequestContext } from '../kernel/requestContext.js';
import { presentText } from '../kernel/text.js';
import { inSqlTransaction, type SqlTx } from '../kernel/transaction.js';
import { queueDelivery } from '../mail/queueDelivery.js';
import { sealedKey } from './addLicenseKey.js';
import { changeLicenseKey } from './changeLicenseKey.js';
import { lookupRows } from './keyHmacs.js';
import { holdPrefixes, keyMakerFor, refuseReservedPrefix } from './keyMaker.js';
import { checkKey, checkRotation, licenseKeyTaken } from './licenseKey.js';
import { lockLicenseKey } from './lockLicenseKey.js';
import { refuseWordsAboutErased } from './refuseWords.js';

/**
 * Gives a key a new text, supplied or of its product's pattern, and mails it to the customer. It stays the same object, so that
 * licenses, grants and activations follow. The text so far works until `graceUntil`, or stops at once; no key gets it again.
 * @throws Refusal KeyBlank, InvalidInput, InvalidExpiry, LicenseKeyNotFound, ModeMismatch, BrandMismatch, StaleObject,
 *   CustomerErased, LicenseKeyDisabled, ReservedKeyPrefix, LicenseKeyTaken
 */
export async function rotateLicenseKey(
  ctx: RequestContext,
  input: RotateLicenseKeyInput,
): Promise<{ licenseKeyId: string }> {
  return inSqlTransaction(
    ctx,
    async (tx) => {
      // Asked behind the claim of the idempotency key: a retry that comes after the grace is answered, not refused.
      refuseIfAny(problemsOf(ctx, input));
      const { licenseKey, customer } = await lockLicenseKey(tx, input);
      await refuseWordsAboutErased(tx, licenseKey, { reason: presentText(input.reason) });
      refuseIfDisabled(licenseKey);
      const text = await newText(tx, licenseKey.id, input.key);
      const graceUntil = await supersede(tx, licenseKey, input.graceUntil ?? null);
      await changeText(tx, licenseKey, { text, isSupplied: input.key != null, graceUntil, reason: input.reason });
      const mail = { licenseKeyId: licenseKey.id, grantId: null, template: 'license-key-rotated' } as const;
      queueDelivery(tx, { customerId: customer.id, recipient: customer.email, ...mail });
      return { licenseKeyId: licenseKey.id };
    },
    licenseKeyTaken(['input', 'key']),
  );
}

function problemsOf({ now }: RequestContext, input: RotateLicenseKeyInput): UserErrorData[] {
  const problems: UserErrorData[] = [];
  if (input.key != null) checkKey(problems, ['input', 'key'], input.key);
  checkRotation(problems, input, now);
  return problems;
}

function refuseIfDisabled({ status }: LicenseKey): void {
  if (status === 'ACTIVE') return;
  const message = 'The key is disabled: a new text would not work either. Enable it first.';
  throw refusal('LicenseKeyDisabled', ['input', 'licenseKeyId'], message);
}

async function newText(tx: SqlTx, licenseKeyId: string, supplied: string | null | undefined): Promise<string> {
  if (supplied != null) await holdPrefixes(tx);
  const maker = await keyMakerFor(tx, { licenseKeyId });
  if (supplied == null) return maker.make();
  refuseReservedPrefix(maker, ['input', 'key'], supplied);
  return supplied.trim();
}

/** The text so far, with its look-up values, becomes a superseded one. @returns until when it works */
async function supersede(tx: SqlTx, licenseKey: LicenseKey, wanted: Date | null): Promise<Date> {
  const { businessId, mode, id: licenseKeyId, keyCiphertext, last4 } = licenseKey;
  const { now } = tx.ctx;
  const [id, graceUntil] = [newId(), wanted ?? now];
  const row = { businessId, mode, id, licenseKeyId, keyCiphertext, last4, graceUntil, createdAt: now };
  tx.insert('license_key_rotations', row);
  await tx.sql(
    'supersede_key_text',
    `UPDATE license_key_lookups SET rotation_id = $4
      WHERE business_id = $1 AND mode = $2 AND license_key_id = $3 AND rotation_id IS NULL`,
    [businessId, mode, licenseKeyId, id],
  );
  return graceUntil;
}

interface NewText {
  readonly text: string;
  readonly isSupplied: boolean;
  readonly graceUntil: Date;
  readonly reason: string | null | undefined;
}

async function changeText(tx: SqlTx, current: LicenseKey, { text, isSupplied, graceUntil, reason }: NewText) {
  const { businessId, mode, id } = current;
  const { keyCiphertext, last4 } = sealedKey(tx, text, id);
  const source = isSupplied ? ('SUPPLIED' as const) : ('AUTO' as const);
  const change = { keyCiphertext: new Uint8Array(keyCiphertext), last4, source };
  const aside = { before: { graceUntil: null }, after: { graceUntil } };
  await changeLicenseKey(tx, current, change, { type: 'license_key.rotated', reason: presentText(reason), aside });
  const lookups = lookupRows(tx.ctx.keyring, { businessId, mode }, text, { licenseKeyId: id, poolKeyId: null });
  tx.insert('license_key_lookups', ...(lookups as never[]));
}
