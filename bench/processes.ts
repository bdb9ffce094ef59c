import { refuseErrors, requestsOf, CONCURRENCY, type Bench } from './compare.js';
import { measure, median, type Round } from './measure.js';
import { latchkey } from './servers/latchkey.js';
import type { RunningServer } from './servers/server.js';
import { writing, type Workload } from './workloads.js';

/** How long a process takes to be ready on a database that is there, and what two of them answer together. */
export async function measureProcesses(bench: Bench, workloads: readonly Workload[]): Promise<void> {
  const begun = performance.now();
  const second = await bench.startAnother(latchkey);
  const seconds = (performance.now() - begun) / 1_000;
  console.log(`\nanother process was ready on the loaded database after ${seconds.toFixed(1)} s`);
  const workload = workloads.find(({ name }) => name === 'license')!;
  const first = bench.running[0]!.process;
  await drive(bench, workload, [second], bench.size.warmUpMs, CONCURRENCY);
  const [alone, together]: [Round[], Round[][]] = [[], []];
  for (let round = 0; round < bench.size.rounds; round++) {
    alone.push(...(await drive(bench, workload, [first], bench.size.roundMs, CONCURRENCY)));
    together.push(await drive(bench, workload, [first, second], bench.size.roundMs, CONCURRENCY / 2));
  }
  const rate = (rounds: readonly Round[]) => rounds.reduce((sum, { perSecond }) => sum + perSecond, 0);
  const cpu = (rounds: readonly Round[]) =>
    rounds.reduce((sum, { cpuMs, perSecond }) => sum + (cpuMs ?? 0) * perSecond, 0) / rate(rounds);
  const line = (title: string, all: readonly Round[][]) =>
    `${title}: ${median(all.map(rate))!.toFixed(0)} requests/s, ${median(all.map(cpu))!.toFixed(3)} ms CPU a request`;
  console.log(
    `${workload.title}, ${line(
      'one process',
      alone.map((round) => [round]),
    )}`,
  );
  console.log(`${workload.title}, ${line('two processes', together)}`);
}

/** Prints the memory of Latchkey's process under load, twice a minute. What writes stays out: a database that grows is no leak. */
export async function watchMemory(bench: Bench, workloads: readonly Workload[], minutes: number): Promise<void> {
  const { process } = bench.running[0]!;
  const reading = workloads.filter(({ operation }) => !writing.has(operation));
  for (let half = 1; half <= minutes * 2; half++) {
    let round: Round | undefined;
    for (const workload of reading) {
      [round] = await drive(bench, workload, [process], 30_000 / reading.length, CONCURRENCY);
    }
    console.log(`after ${(half / 2).toFixed(1)} min: ${round!.residentMb?.toFixed(0) ?? '–'} MB`);
  }
}

/** One round at each of some processes of Latchkey, at the same time. */
function drive(
  bench: Bench,
  workload: Workload,
  processes: readonly RunningServer[],
  ms: number,
  concurrency: number,
): Promise<Round[]> {
  const requests = requestsOf(latchkey, workload, bench.world);
  const check = refuseErrors.bind(null, workload);
  const limits = { ms, requests: Infinity, concurrency };
  return Promise.all(processes.map((process) => measure(process, requests, limits, check, bench)));
}
