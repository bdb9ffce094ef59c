import { randomFillSync } from 'node:crypto';
import { v7 } from 'uuid';

/**
 * Prefixes of the ids that the API shows, by SDL type. An id outside is a TypeID: prefix, underscore and the UUID in 26
 * characters of Crockford's base 32.
 */
export const idPrefixes = {
  Activation: 'act',
  ApiKey: 'key',
  Application: 'app',
  Brand: 'brand',
  Business: 'biz',
  Change: 'chg',
  Customer: 'cus',
  CustomerSession: 'ses',
  Delivery: 'dlv',
  Discount: 'disc',
  DiscountCode: 'dcode',
  DiscountRedemption: 'dred',
  Entitlement: 'ent',
  Grant: 'grant',
  LedgerEntry: 'lent',
  LedgerTransaction: 'ltx',
  License: 'lic',
  LicenseKey: 'lkey',
  LicenseKeyPool: 'pool',
  LoginToken: 'login',
  Order: 'ord',
  OrderLine: 'line',
  Organization: 'org',
  Package: 'pkg',
  PackagePrice: 'price',
  PricingRule: 'prule',
  Product: 'prod',
  ProductKey: 'pk',
  ProductKeyStatement: 'stmt',
  ProductOffering: 'offer',
  ProductVersion: 'ver',
  SigningKey: 'skey',
  SlaBreach: 'breach',
  SlaDefinition: 'sla',
  SlaDefinitionVersion: 'slaver',
  SubscriptionType: 'sub',
  Wallet: 'wal',
} as const;

/** SDL types that have an id of their own. */
export type IdType = keyof typeof idPrefixes;

/** Stands in for an id that cannot be anybody's, so that a malformed id answers exactly as an unknown one. */
export const NO_ID = '00000000-0000-0000-0000-000000000000';

const ALPHABET = '0123456789abcdefghjkmnpqrstvwxyz';
const typesByPrefix = new Map(Object.entries(idPrefixes).map(([type, prefix]) => [prefix as string, type as IdType]));

const ID_BYTES = 16;
/** Random bytes for many ids: drawing them costs a call of the system's library, for one as for all. */
const randomPool = new Uint8Array(256 * ID_BYTES);
let unused = randomPool.length;
const last = { msecs: 0, seq: 0 };

/** A new id: a UUID version 7, rising with time, and within a process also in one millisecond. */
export function newId(): string {
  if (unused === randomPool.length) {
    randomFillSync(randomPool);
    unused = 0;
  }
  const random = randomPool.subarray(unused, (unused += ID_BYTES));
  const now = Date.now();
  if (now > last.msecs) {
    // Half of the counter's numbers are left for those that follow in the same millisecond, or until a clock that was set back has caught up.
    last.seq = new DataView(random.buffer, random.byteOffset).getUint32(6) >>> 1;
    last.msecs = now;
  } else if (++last.seq > 0xffff_ffff) {
    last.seq = 0;
    last.msecs++;
  }
  return v7({ random, ...last });
}

const [HYPHEN, ZERO, LETTERS] = [45, 48, 97];

/** The id that the API shows for a row of a type; the UUID in small letters, as PostgreSQL prints it. */
export function globalId(type: IdType, uuid: string): string {
  let text = `${idPrefixes[type]}_`;
  // 128 bits after two that are zero make 26 digits of five bits.
  let [bits, held] = [0, 2];
  for (let i = 0; i < uuid.length; i++) {
    const code = uuid.charCodeAt(i);
    if (code === HYPHEN) continue;
    bits = ((bits & 31) << 4) | (code < LETTERS ? code - ZERO : code - LETTERS + 10);
    held += 4;
    if (held < 5) continue;
    held -= 5;
    text += ALPHABET[(bits >> held) & 31] as string;
  }
  return text;
}

/** Type and UUID of an id that the API showed; null when it is malformed. Only the one canonical spelling is accepted. */
export function parseGlobalId(id: string): { type: IdType; uuid: string } | null {
  const match = /^([a-z]+)_([0-7][0-9a-hjkmnp-tv-z]{25})$/.exec(id);
  const type = match && typesByPrefix.get(match[1] as string);
  if (!match || !type) return null;
  let bits = 0n;
  for (const character of match[2] as string) bits = (bits << 5n) | BigInt(ALPHABET.indexOf(character));
  const hex = bits.toString(16).padStart(32, '0');
  return {
    type,
    uuid: `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`,
  };
}

/** The UUID of an id of one type; `NO_ID` when it is malformed or another type's. */
export function uuidOf(type: IdType, id: string): string {
  const parsed = parseGlobalId(id);
  return parsed?.type === type ? parsed.uuid : NO_ID;
}
