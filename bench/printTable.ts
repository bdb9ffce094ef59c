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
  { title: 'SQL', width: 6, digits: 1, of: (round) => round.statements },
  { title: 'RSS MB', width: 8, digits: 0, of: (round) => round.residentMb },
];

/** Prints medians; the last server is the measure of the ratios, which are medians of the rounds' own. */
export function printTable(names: readonly string[], measured: readonly Measured[]): void {
  const heads = columns.map(({ title, width }) => title.padStart(width)).join('');
  console.log(`\n${'workload'.padEnd(40)}${'server'.padEnd(10)}${heads}   CPU ÷ bare  req/s ÷ bare`);
  for (const { workload, rounds } of measured) {
    const measure = rounds.at(-1)!;
    for (const [index, own] of rounds.entries()) {
      const cells = columns.map(({ of, digits, width }) => text(median(own.map(of)), digits).padStart(width)).join('');
      const cpu = median(own.map((round, i) => quotient(round.cpuMs, measure[i]!.cpuMs)));
      const rate = median(own.map((round, i) => quotient(round.perSecond, measure[i]!.perSecond)));
      const title = index === 0 ? workload.title : '';
      console.log(
        `${title.padEnd(40)}${names[index]!.padEnd(10)}${cells}${text(cpu, 2).padStart(13)}${text(rate, 2).padStart(14)}`,
      );
    }
  }
}

function quotient(value: number | null, by: number | null): number | null {
  return value === null || by === null ? null : value / by;
}

function text(value: number | null, digits: number): string {
  return value === null ? '–' : value.toFixed(digits);
}
