import { userError, type UserErrorData } from '../kernel/refusal.js';
import { randomText } from '../kernel/secret.js';
import { presentText } from '../kernel/text.js';

const MAX_CODES = 10;
const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789';

/**
 * What a code is compared by: in upper case, composed, without white space at its ends. Upper case decomposes a few letters, so it
 * is composed last.
 */
export function codeKeyOf(code: string): string {
  return code.trim().normalize('NFC').toUpperCase().normalize('NFC');
}

/** A code that nobody can guess, as source 001 makes them: `XXXXX-XXXXX-XXXXX`, 77 random bits. */
export function generatedCode(): string {
  const text = randomText(15, ALPHABET);
  return [text.slice(0, 5), text.slice(5, 10), text.slice(10)].join('-');
}

/** A code that an input gives, and where. */
export interface GivenCode {
  readonly code: string;
  readonly path: readonly string[];
}

/** What an input gives codes by. */
interface CodesInput {
  readonly discountCode?: string | null;
  readonly discountCodes?: readonly string[] | null;
}

/** Adds a problem when there are more codes than one purchase takes. */
export function checkCodes(problems: UserErrorData[], input: CodesInput): void {
  const { length } = givenCodes(input);
  if (length <= MAX_CODES) return;
  const message = `Give at most ${MAX_CODES} codes; there are ${length}.`;
  problems.push(userError('InvalidInput', ['input', 'discountCodes'], message));
}

/** The codes that `discountCode` and `discountCodes` give, in that order; blank ones are none. */
export function givenCodes(input: CodesInput): GivenCode[] {
  const single = { code: input.discountCode, path: ['input', 'discountCode'] };
  const several = (input.discountCodes ?? []).map((code, index) => {
    return { code, path: ['input', 'discountCodes', String(index)] };
  });
  return [single, ...several].flatMap(({ code, path }) => {
    const text = presentText(code);
    return text === null ? [] : [{ code: text, path }];
  });
}
