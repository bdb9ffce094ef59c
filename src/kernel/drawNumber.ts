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

/**
 * Numbers for new rows: random, so that there is no counter to contend for, and free in the business and mode. Nine digits,
 * ten where the nine-digit ones are crowded. A number that somebody else takes before the commit violates the unique index.
 * @param digits the usual number of digits, and the next; tests crowd shorter ones
 * @returns `count` different numbers, such as `L156429250`
 */
export async function drawNumbers(
  tx: SqlTx,
  what: keyof typeof numbered,
  count: number,
  digits: readonly [number, number] = DIGITS,
): Promise<string[]> {
  const { letter } = numbered[what];
  const free = new Set<string>();
  const [usual, more] = digits;
  let length = usual;
  for (;;) {
    const drawn = new Set<string>();
    while (free.size + drawn.size < count) {
      const number = draw(letter, length);
      if (!free.has(number)) drawn.add(number);
    }
    const taken = await takenOf(tx, what, [...drawn]);
    for (const number of drawn) if (!taken.has(number)) free.add(number);
    if (free.size === count) return [...free];
    if (length === usual && (await isCrowded(tx, what, usual))) length = more;
  }
}

async function isCrowded(tx: SqlTx, what: keyof typeof numbered, digits: number): Promise<boolean> {
  const probes = Array.from({ length: PROBES }, () => draw(numbered[what].letter, digits));
  const taken = await takenOf(tx, what, probes);
  return probes.filter((number) => taken.has(number)).length > CROWDED;
}

async function takenOf(tx: SqlTx, what: keyof typeof numbered, numbers: readonly string[]): Promise<Set<string>> {
  const { businessId, mode } = tenantOf(tx.ctx);
  const rows = await tx.sql<{ number: string }>(
    `taken_numbers_${what}`,
    `SELECT number FROM ${numbered[what].table} WHERE business_id = $1 AND mode = $2 AND number = ANY($3)`,
    [businessId, mode, numbers],
  );
  return new Set(rows.map((row) => row.number));
}
