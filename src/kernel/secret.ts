import { createCipheriv, createDecipheriv, createHash, createHmac, randomBytes, timingSafeEqual } from 'node:crypto';

/** Named secret keys of 32 bytes. New data is made with the current one; old data names the one that it was made with. */
export interface KeySet {
  readonly currentId: string;
  readonly keys: ReadonlyMap<string, Buffer>;
}

/** The secrets that stored data depends on: look-up keys and encryption keys, each with its id. */
export interface Keyring {
  readonly hmac: KeySet;
  readonly encryption: KeySet;
}

const VERSION = 1;
const NONCE_BYTES = 12;
const TAG_BYTES = 16;

/**
 * The key of a set by its id.
 * @throws Error naming the id when the key is not configured: data made with it cannot be used
 */
export function keyById(set: KeySet, id: string): Buffer {
  const key = set.keys.get(id);
  if (!key) throw new Error(`the secret key "${id}" is not configured, but stored data was made with it`);
  return key;
}

/** HMAC-SHA-256 of several parts under a key; parts are length-prefixed, so that no two lists of parts look alike. */
export function hmacOf(key: Buffer, ...parts: string[]): Buffer {
  const sizes = parts.map((part) => Buffer.byteLength(part));
  const message = Buffer.allocUnsafe(sizes.reduce((sum, size) => sum + 4 + size, 0));
  let end = 0;
  parts.forEach((part, i) => {
    end = message.writeUInt32BE(sizes[i] as number, end);
    end += message.write(part, end);
  });
  return createHmac('sha256', key).update(message).digest();
}

/**
 * AES-256-GCM under the current key. Layout: version (1), length of the key id (1), key id, nonce (12), text, tag (16).
 * @param associated what the text belongs to (business, mode, row id): it decrypts nowhere else
 */
export function encrypt(set: KeySet, text: string, associated: readonly string[]): Buffer {
  const id = Buffer.from(set.currentId, 'utf8');
  const nonce = randomBytes(NONCE_BYTES);
  const cipher = createCipheriv('aes-256-gcm', keyById(set, set.currentId), nonce);
  cipher.setAAD(Buffer.from(JSON.stringify(associated)));
  const body = Buffer.concat([cipher.update(text, 'utf8'), cipher.final()]);
  return Buffer.concat([Buffer.from([VERSION, id.length]), id, nonce, body, cipher.getAuthTag()]);
}

/**
 * Reverses `encrypt`.
 * @throws Error when the key is not configured, or the text was changed or belongs elsewhere
 */
export function decrypt(set: KeySet, sealed: Uint8Array, associated: readonly string[]): string {
  const bytes = Buffer.from(sealed);
  if (bytes[0] !== VERSION) throw new Error(`unknown version ${bytes[0]} of an encrypted value`);
  const idEnd = 2 + (bytes[1] as number);
  const bodyStart = idEnd + NONCE_BYTES;
  const bodyEnd = bytes.length - TAG_BYTES;
  const key = keyById(set, bytes.subarray(2, idEnd).toString('utf8'));
  const decipher = createDecipheriv('aes-256-gcm', key, bytes.subarray(idEnd, bodyStart));
  decipher.setAAD(Buffer.from(JSON.stringify(associated)));
  decipher.setAuthTag(bytes.subarray(bodyEnd));
  return Buffer.concat([decipher.update(bytes.subarray(bodyStart, bodyEnd)), decipher.final()]).toString('utf8');
}

const ALPHABET = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';
const RANDOM_LENGTH = 32;
const CHECK_LENGTH = 6;

/** Random characters of an alphabet of at most 256, each equally likely. */
export function randomText(length: number, alphabet: string): string {
  const limit = 256 - (256 % alphabet.length);
  let text = '';
  while (text.length < length) {
    for (const byte of randomBytes(length)) {
      if (byte < limit && text.length < length) text += alphabet.charAt(byte % alphabet.length);
    }
  }
  return text;
}

function checkOf(text: string): string {
  const number = createHash('sha256').update(text).digest().readBigUInt64BE();
  let check = '';
  let rest = number;
  for (let i = 0; i < CHECK_LENGTH; i++) {
    check += ALPHABET.charAt(Number(rest % 62n));
    rest /= 62n;
  }
  return check;
}

/** A new bearer token: prefix, 190 random bits, and check characters that let typing errors be refused without a look-up. */
export function newToken(prefix: string): string {
  const body = `${prefix}${randomText(RANDOM_LENGTH, ALPHABET)}`;
  return body + checkOf(body);
}

/** Whether a token has a known prefix and right check characters. */
export function isWellFormedToken(token: string, prefixes: readonly string[]): boolean {
  const prefix = prefixes.find((candidate) => token.startsWith(candidate));
  if (prefix === undefined || token.length !== prefix.length + RANDOM_LENGTH + CHECK_LENGTH) return false;
  return checkOf(token.slice(0, -CHECK_LENGTH)) === token.slice(-CHECK_LENGTH);
}

/** What is stored of a bearer token: tokens are random, so a plain SHA-256 suffices. */
export function tokenHash(token: string): Buffer {
  return createHash('sha256').update(token).digest();
}

/** Compares two secrets in constant time, whatever their lengths. */
export function sameSecret(left: string, right: string): boolean {
  return timingSafeEqual(tokenHash(left), tokenHash(right));
}
