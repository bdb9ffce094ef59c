import { createHash } from 'node:crypto';
import { ClientError } from '../kernel/clientError.js';
import { userError, Refusal } from '../kernel/refusal.js';
import type { Viewer } from '../kernel/viewer.js';
import type { ToolkitContext } from './toolkitContext.js';

const MAX_KEY = 256;
// eslint-disable-next-line no-control-regex -- refusing them is what this expression is for
const CONTROL = /[\u0000-\u001f\u007f]/;

/**
 * The idempotency key of a call: the input's, or the header's for a document with one mutation field.
 * @throws ClientError BAD_REQUEST for a header that is malformed, differs from the input's key or stands over several mutations
 * @throws Refusal InvalidInput for a key in the input that is too long, empty or has control characters
 */
export function idempotencyKeyOf(context: ToolkitContext, inputKey: string | null | undefined): string | null {
  const header = context.idempotencyKeyHeader;
  if (header !== null) {
    if (context.mutationFieldCount > 1) {
      throw new ClientError(
        'BAD_REQUEST',
        'The header `Idempotency-Key` serves documents with one mutation field. Use `idempotencyKey` in each input.',
      );
    }
    if (inputKey != null && inputKey !== header) {
      throw new ClientError(
        'BAD_REQUEST',
        'The header `Idempotency-Key` and the input `idempotencyKey` differ. Give one of them.',
      );
    }
    if (!isKey(header)) {
      throw new ClientError(
        'BAD_REQUEST',
        `\`Idempotency-Key\` takes 1 to ${MAX_KEY} characters and no control characters.`,
      );
    }
    return header;
  }
  if (inputKey == null) return null;
  if (!isKey(inputKey)) {
    const message = `Give 1 to ${MAX_KEY} characters and no control characters.`;
    throw new Refusal([userError('InvalidInput', ['input', 'idempotencyKey'], message)]);
  }
  return inputKey;
}

function isKey(key: string): boolean {
  return key.length > 0 && [...key].length <= MAX_KEY && !CONTROL.test(key);
}

/**
 * Whose keys they are: the same key of two businesses, modes or customers' sessions are two keys.
 * @param holder what an anonymous caller holds, such as a license key; never in the clear
 */
export function idempotencyNamespace(viewer: Viewer, holder: () => string | undefined): string {
  switch (viewer.principal) {
    case 'API_KEY':
    case 'SYSTEM':
      return `${viewer.businessId}:${viewer.mode}`;
    case 'CUSTOMER':
      return `${viewer.businessId}:${viewer.mode}:${viewer.customerId}`;
    case 'OPERATOR':
      return 'operator';
    case 'PUBLIC':
      return `brand:${viewer.brandId}:${holder() ?? ''}`;
  }
}

/**
 * SHA-256 of what a call means: the mutation, its coerced input, whatever the order of fields, and the brand that `Brand-URL`
 * names. Absent and null are the same but in updates, where they are not.
 */
export function idempotencyFingerprint(mutation: string, input: object, viewer: Viewer): Buffer {
  const nullsCount = /^(update|upsert)/.test(mutation);
  const { idempotencyKey: _key, ...rest } = input as Record<string, unknown>;
  return createHash('sha256')
    .update(JSON.stringify([mutation, canonical(rest, nullsCount), 'brandId' in viewer ? viewer.brandId : null]))
    .digest();
}

function canonical(value: unknown, nullsCount: boolean): unknown {
  if (value instanceof Date) return value.toISOString();
  if (typeof value === 'bigint') return value.toString();
  if (Array.isArray(value)) return value.map((item) => canonical(item, nullsCount));
  if (typeof value !== 'object' || value === null) return value;
  return Object.entries(value)
    .filter(([, inner]) => inner !== undefined && (nullsCount || inner !== null))
    .sort(([left], [right]) => (left < right ? -1 : 1))
    .map(([name, inner]) => [name, canonical(inner, nullsCount)]);
}

const running = new Map<string, Promise<unknown>>();

/**
 * Runs calls under one key one after the other within this process, so that duplicates wait in memory and not on database
 * connections. Between processes the database does the same.
 */
export async function oneAtATime<Result>(key: string, work: () => Promise<Result>): Promise<Result> {
  const before = running.get(key);
  const result = (before ?? Promise.resolve()).then(work, work);
  running.set(key, result);
  try {
    return await result;
  } finally {
    if (running.get(key) === result) running.delete(key);
  }
}
