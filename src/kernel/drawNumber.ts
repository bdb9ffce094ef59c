import { randomInt } from 'node:crypto';
import { tenantOf } from './requestContext.js';
import type { SqlTx } from './transaction.js';

/** What is numbered: the letter that its numbers begin with, and the table that keeps them. */
const numbered = {
  Customer: { letter: 'K', table: 'customers' },
  License: { letter: 'L', table: 'licenses' },
  Order: { letter: 'B', table: 'orders' },
  ProductKey: { letter: 'P', table: 'product_keys' },
} as const;

/** A random draw collides with one in a hundred numbers once a hundredth of them is taken: ten million of nine digits. */
const PROBES = 400;
const CROWDED = PROBES / 100;

/** How many digits numbers have, and how many once those are crowded. */
const DIGITS = [9, 10] as const;

function draw(letter: string, digits: number): string {
  return (
    letter +
    randomInt(0, 10 ** digits)
      .toString()
      .padStart(digits, '0')
  );
}

/** Numbers that were drawn, and which of them a statement found taken that also had something else to look for. */
export interface LookedUpNumbers {
  readonly drawn: readonly string[];
  readonly taken: readonly string[];
}

/** Different numbers of the usual length, not yet looked for: `takenNumbers` does it within a statement. */
export function candidateNumbers(what: keyof typeof numbered, count: number): string[] {
  const drawn = new Set<string>();
  while (drawn.size < count) drawn.add(draw(numbered[what].letter, DIGITS[0]));
  return [...drawn];
}

/**
 * SQL: those of a JSON list of numbers that are taken, as an array. Each is looked for by the index, and of a JSON list, unlike an
 * array, PostgreSQL does not take the length into account: with that, it would plan the statement anew each time.
 * @param numbers the list's parameter; $1 is the business, $2 the mode
 */
export function takenNumbers(what: keyof typeof numbered, numbers: string): string {
  return `ARRAY(SELECT drawn FROM jsonb_array_elements_text(${numbers}::jsonb) AS drawn WHERE (
    SELECT true FROM ${numbered[what].table} WHERE business_id = $1 AND mode = $2 AND number = drawn))`;
}

/**
 * Numbers for new rows: random, so that there is no counter to contend for, and free in the business and mode. Nine digits,
 * ten where the nine-digit ones are crowded. A number that somebody else takes before the commit violates the unique index.
 * @param lookedUp what was drawn and looked for already; where all of it is free, there is no statement
 * @param digits the usual number of digits, and the next; tests crowd shorter ones
 * @returns `count` different numbers, such as `L156429250`
 */
export async function drawNumbers(
  tx: SqlTx,
  what: keyof typeof numbered,
  count: number,
  lookedUp: LookedUpNumbers = { drawn: [], taken: [] },
  digits: readonly [number, number] = DIGITS,
): Promise<string[]> {
  const { letter } = numbered[what];
  const free = new Set(lookedUp.drawn.filter((number) => !lookedUp.taken.includes(number)));
  const [usual, more] = digits;
  let length = usual;
  while (free.size < count) {
    const drawn = new Set<string>();
    while (free.size + drawn.size < count) {
      const number = draw(letter, length);
      if (!free.has(number)) drawn.add(number);
    }
    const taken = await takenOf(tx, what, [...drawn]);
    for (const number of drawn) if (!taken.has(number)) free.add(number);
    if (free.size < count && length === usual && (await isCrowded(tx, what, usual))) length = more;
  }
  return [...free];
}

async function isCrowded(tx: SqlTx, what: keyof typeof numbered, digits: number): Promise<boolean> {
  const probes = Array.from({ length: PROBES }, () => draw(numbered[what].letter, digits));
  const taken = await takenOf(tx, what, probes);
  return probes.filter((number) => taken.has(number)).length > CROWDED;
}

async function takenOf(tx: SqlTx, what: keyof typeof numbered, numbers: readonly string[]): Promise<Set<string>> {
  const { businessId, mode } = tenantOf(tx.ctx);
  const text = `SELECT ${takenNumbers(what, '$3')} AS taken`;
  const [row] = await tx.sql<{ taken: string[] }>(`taken_numbers_${what}`, text, [
    businessId,
    mode,
    JSON.stringify(numbers),
  ]);
  return new Set(row?.taken);
}
