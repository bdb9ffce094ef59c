/**
 * Shares a whole out by weights, exactly: each gets its part rounded down, and the units that are left over go one each to the
 * largest fractions, of equal ones to the earlier. No part is larger than its weight.
 * @param whole from 0 to the sum of the weights
 * @returns the parts; together they are the whole
 */
export function share(whole: bigint, weights: readonly bigint[]): bigint[] {
  const sum = weights.reduce((total, weight) => total + weight, 0n);
  if (whole < 0n || whole > sum) throw new Error(`${whole} cannot be shared out among ${sum}`);
  if (whole === 0n) return weights.map(() => 0n);
  const parts = weights.map((weight) => (whole * weight) / sum);
  const left = Number(whole - parts.reduce((total, part) => total + part, 0n));
  const fractions = weights.map((weight, index) => ({ index, fraction: (whole * weight) % sum }));
  // Sorting is stable: of equal fractions the earlier comes first.
  fractions.sort((a, b) => (a.fraction === b.fraction ? 0 : a.fraction > b.fraction ? -1 : 1));
  for (const { index } of fractions.slice(0, left)) parts[index] = (parts[index] as bigint) + 1n;
  return parts;
}
