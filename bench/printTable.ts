import { median, type Round } from './measure.js';
import type { Workload } from './workloads.js';

/** The rounds of a workload, by server. */
export interface Measured {
  readonly workload: Workload;
  readonly rounds: readonly (readonly Round[])[];
}

const columns: readonly { title: string; width: number; digits: number; of: (round: Round) => number | null }[] = [
  { title: 'req/s', width: 8, digits: 0, of: (round) => round.perSecond },
  { title: 'p50 ms', width: 8, digits: 1, of: (round) => round.p50 },
  { title: 'p99 ms', width: 8, digits: 1, of: (round) => round.p99 },
  { title: 'CPU ms', width: 8, digits: 3, of: (round) => round.cpuMs },
  { title: 'DB ms', width: 8, digits: 3, of: (round) => round.databaseMs },
  { title: 'PG ms', width: 8, digits: 3, of: (round) => round.postgresMs },
  { title: 'client ms', width: 11, digits: 3, of: (round) => round.clientMs },
  { title: 'SQL', width: 6, digits: 1, of: (round) => round.statements },
  { title: 'RSS MB', width: 8, digits: 0, of: (round) => round.residentMb },
];

/**
 * Prints medians, and the ratios, which are medians of the rounds' own.
 * @param names the first is the one that is compared, the last the measure
 */
export function printTable(names: readonly string[], measured: readonly Measured[]): void {
  const heads = columns.map(({ title, width }) => title.padStart(width)).join('');
  const [own, bare] = [names[0]!, names.at(-1)!];
  console.log(`\n${'workload'.padEnd(38)}${'server'.padEnd(11)}${heads}   CPU ÷ ${bare}  CPU ÷ ${own}  req/s ÷ ${own}`);
  for (const { workload, rounds } of measured) {
    for (const [index, its] of rounds.entries()) {
      if (its.length === 0) continue;
      const cells = columns.map(({ of, digits, width }) => text(median(its.map(of)), digits).padStart(width)).join('');
      const ratio = (to: readonly Round[], of: (round: Round) => number | null) =>
        text(median(its.map((round, i) => quotient(of(round), of(to[i]!)))), 2);
      const title = index === 0 ? workload.title : '';
      const byBare = ratio(rounds.at(-1)!, ({ cpuMs }) => cpuMs).padStart(13);
      const byOwn = ratio(rounds[0]!, ({ cpuMs }) => cpuMs).padStart(16);
      const rate = ratio(rounds[0]!, ({ perSecond }) => perSecond).padStart(18);
      console.log(`${title.padEnd(38)}${names[index]!.padEnd(11)}${cells}${byBare}${byOwn}${rate}`);
    }
  }
}

function quotient(value: number | null, by: number | null): number | null {
  return value === null || by === null ? null : value / by;
}

function text(value: number | null, digits: number): string {
  return value === null ? '–' : value.toFixed(digits);
}
