import { createHash } from 'node:crypto';
import { ClientError } from './clientError.js';

/** Where a row stands in an order: the value that it is ordered by, as PostgreSQL prints it, and its id. */
export interface Cursor {
  key: string;
  id: string;
}

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

/** What ties a cursor to its list, tenant, order and parent: a cursor from anywhere else is refused. */
export function cursorMark(words: unknown): string {
  return createHash('sha256').update(JSON.stringify(words)).digest('base64url').slice(0, 8);
}

/** The opaque text of a cursor. */
export function cursorText(mark: string, { key, id }: Cursor): string {
  return Buffer.from(JSON.stringify([mark, key, id])).toString('base64url');
}

/**
 * Reads a cursor that a caller gave.
 * @throws ClientError BAD_USER_INPUT naming the argument when it is malformed or another list's
 */
export function cursorOf(text: string | null | undefined, argument: string, mark: string): Cursor | null {
  if (text == null) return null;
  let parts: unknown = null;
  try {
    parts = JSON.parse(Buffer.from(text, 'base64url').toString('utf8'));
  } catch {
    // Falls through to the one refusal below.
  }
  if (
    Array.isArray(parts) &&
    parts.length === 3 &&
    parts[0] === mark &&
    parts.every((part) => typeof part === 'string')
  ) {
    const [, key, id] = parts as [string, string, string];
    if (UUID.test(id) && !key.includes('\0')) return { key, id };
  }
  throw badCursor(argument);
}

/** A mistake in the arguments of a page. */
export function badPage(argument: string, message: string): ClientError {
  return new ClientError('BAD_USER_INPUT', message, { argument });
}

/** What to answer to a cursor that is none of the list. */
export function badCursor(argument: string): ClientError {
  return badPage(argument, `\`${argument}\` is no cursor of this list in this order. Use one that a page of it gave.`);
}
