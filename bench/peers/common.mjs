// What the peers share: rules that any of them would need, without a line of Latchkey's own.
import { createHash, createHmac } from 'node:crypto';
import { readFileSync } from 'node:fs';

export const typeDefs = readFileSync(new URL('schema.graphql', import.meta.url), 'utf8');

const ALPHABET = '0123456789abcdefghjkmnpqrstvwxyz';

/** The id that the API shows: a prefix and the UUID in 26 characters of base 32. */
export function idOf(prefix, uuid) {
  let bits = BigInt(`0x${uuid.replaceAll('-', '')}`);
  let text = '';
  for (let i = 0; i < 26; i++, bits >>= 5n) text = ALPHABET[Number(bits & 31n)] + text;
  return `${prefix}_${text}`;
}

export function uuidOf(id) {
  let bits = 0n;
  for (const character of id.slice(id.indexOf('_') + 1)) bits = (bits << 5n) | BigInt(ALPHABET.indexOf(character));
  const hex = bits.toString(16).padStart(32, '0');
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join('-');
}

export function money(minor, currencyCode) {
  const text = String(minor).padStart(3, '0');
  return { amount: `${text.slice(0, -2)}.${text.slice(-2)}`, currencyCode };
}

export const tokenHash = (token) => createHash('sha256').update(token).digest();

/** Remembers for a second what `find` says of a token. */
export function rememberedTokens(find) {
  const known = new Map();
  return async (header) => {
    const token = header?.startsWith('Bearer ') ? header.slice(7) : '';
    const hit = known.get(token);
    if (hit && hit.until > performance.now()) return hit.caller;
    const caller = token ? await find(token) : null;
    if (caller) known.set(token, { caller, until: performance.now() + 1_000 });
    return caller;
  };
}

const [CAPACITY, REFILL_PER_SECOND] = [1e9, 84];
const buckets = new Map();

/** Takes a token of a caller's bucket. */
export function isAllowed(who) {
  const now = performance.now();
  const bucket = buckets.get(who) ?? { tokens: CAPACITY, at: now };
  buckets.set(who, bucket);
  bucket.tokens = Math.min(CAPACITY, bucket.tokens + ((now - bucket.at) / 1_000) * REFILL_PER_SECOND);
  bucket.at = now;
  return bucket.tokens-- >= 1;
}

/** What a key is looked up by. */
export function lookupValue(...parts) {
  const hmac = createHmac('sha256', Buffer.from(process.env.HMAC_SECRET, 'base64'));
  for (const part of parts) {
    const bytes = Buffer.from(part, 'utf8');
    const length = Buffer.alloc(4);
    length.writeUInt32BE(bytes.length);
    hmac.update(length).update(bytes);
  }
  return hmac.digest();
}

export const normalizedKey = (key) => key.normalize('NFKC').toUpperCase().replace(/[\s-]/g, '');

export function statusOf(license, now) {
  const started = license.status === 'PENDING' && license.validFrom <= now ? 'ACTIVE' : license.status;
  return license.pendingStatus && license.pendingStatusAt <= now ? license.pendingStatus : started;
}

export function isActive(license, now) {
  const { validFrom, validUntil } = license;
  return statusOf(license, now) === 'ACTIVE' && now >= validFrom && !(validUntil && validUntil <= now);
}

export function customerName({ companyName, firstName, lastName, number }) {
  return companyName ?? ([firstName, lastName].filter(Boolean).join(' ') || number);
}

/** A cursor: where the row before stands. */
export function cursorOf(text) {
  const [createdAt, id] = JSON.parse(Buffer.from(text, 'base64url').toString());
  return { createdAt: new Date(createdAt), id };
}

/** Points that a query asks for: one an object, times the rows of a page. */
export function costOf(document, variables) {
  const cost = (selections) =>
    selections.reduce((sum, { selectionSet, arguments: given = [] }) => {
      if (!selectionSet) return sum;
      const first = given.find(({ name }) => name.value === 'first')?.value;
      const times = first === undefined ? 1 : first.kind === 'Variable' ? variables[first.name.value] : +first.value;
      return sum + (1 + cost(selectionSet.selections)) * times;
    }, 0);
  return Math.max(
    ...document.definitions.map(({ selectionSet }) => (selectionSet ? cost(selectionSet.selections) : 0)),
  );
}

export const MAX_COST = 5_000;
