import { isDeepStrictEqual } from 'node:util';
import type { Client } from 'pg';
import { openConnection, requestBytes, type Answer } from './client.js';
import { freshBytes } from './freshBytes.js';
import type { World } from './loadWorld.js';
import { measure, type Round, type Watched } from './measure.js';
import type { BenchServer, RunningServer } from './servers/server.js';
import type { WorldSize } from './world/business.js';
import { writing, type Operation, type Workload } from './workloads.js';

export const CONCURRENCY = 16;
/** After as many, or as long as the run allows, the compiler has done its work. */
const WARM_UP_REQUESTS = 30_000;

/** A loaded database and what runs over it. */
export interface Bench extends Watched {
  readonly size: WorldSize & { readonly rounds: number; readonly roundMs: number; readonly warmUpMs: number };
  readonly world: World;
  readonly running: readonly { server: BenchServer; process: RunningServer }[];
  /** One more process of a server, over the same database. */
  readonly startAnother: (server: BenchServer) => Promise<RunningServer>;
  /** A connection to the world. */
  readonly db: Client;
  /** Purchases that were answered as done. */
  purchases: number;
  /** Uses of product keys that were answered as counted. */
  uses: number;
  /** Operations that the servers have got used to. */
  readonly warm: Set<Operation>;
}

/** Rounds of one workload by server, alternating, so that whatever else the machine does hits all of them. */
export async function compare(bench: Bench, workload: Workload): Promise<Round[][]> {
  const { size, running, world } = bench;
  const requests = running.map(({ server }) => requestsOf(server, workload, world));
  const check = (answer: Answer) => {
    refuseErrors(workload, answer);
    if (workload.operation === 'purchase') bench.purchases++;
    bench.uses += workload.uses ?? 0;
  };
  await refuseDifferences(bench, workload, requests, check);
  const once = (index: number, ms: number, warming = false) => {
    const limits = { ms, requests: warming ? WARM_UP_REQUESTS : 200_000, concurrency: CONCURRENCY };
    return measure(running[index]!.process, requests[index]!, limits, check, bench);
  };
  const rounds: Round[][] = running.map(() => []);
  const offers = (index: number) => !running[index]!.server.skips?.includes(workload.operation);
  if (!bench.warm.has(workload.operation)) {
    for (const index of [...running.keys()].filter(offers)) await once(index, size.warmUpMs, true);
    bench.warm.add(workload.operation);
  }
  for (let round = 0; round < size.rounds; round++) {
    const order = [...running.keys()].filter(offers);
    if (round % 2 === 1) order.reverse();
    for (const index of order) rounds[index]!.push(await once(index, size.roundMs));
  }
  return rounds;
}

/** A workload's requests, as a server wants them. */
export function requestsOf(server: BenchServer, { operation, variables }: Workload, world: World): Buffer[] {
  return variables.map((its) => {
    const { path, body } = server.request(operation, its);
    return requestBytes(path, callerOf(operation, world), body);
  });
}

/** Programs that check a key have no token. */
function callerOf(operation: Operation, { token, brandUrl }: World): string {
  return operation === 'validate' ? `Brand-URL: ${brandUrl}` : `Authorization: Bearer ${token}`;
}

/** Only an answer that did what was asked counts. */
export function refuseErrors({ name, operation }: Workload, { status, body }: Answer): void {
  const done = operation !== 'purchase' || (body.includes('"success":true') && body.includes('"userErrors":[]'));
  const found = operation !== 'license' || !body.includes('"license":null');
  const counted = !body.includes('"usage":null') && !body.includes('"results":null');
  if (status === 200 && done && found && counted && !body.includes('"errors":')) return;
  throw new Error(`${name}: an answer with errors (${status}): ${body.slice(0, 1_000)}`);
}

/** The servers must answer the same: of readings the same data, of writings the same fields. */
async function refuseDifferences(
  { running }: Bench,
  { name, operation }: Workload,
  requests: readonly (readonly Buffer[])[],
  check: (answer: Answer) => void,
): Promise<void> {
  const answers: unknown[] = [];
  const offering = [...running.entries()].filter(([, { server }]) => !server.skips?.includes(operation));
  for (const [index, { process }] of offering) {
    const connection = await openConnection(process.port);
    try {
      const answer = await connection.send(freshBytes(requests[index]![0]!));
      check(answer);
      const { data } = JSON.parse(answer.body) as { data: unknown };
      answers.push(writing.has(operation) ? shapeOf(data) : data);
    } finally {
      connection.close();
    }
  }
  const other = answers.findIndex((answer) => !isDeepStrictEqual(answer, answers[0]));
  if (other < 0) return;
  const [first, second] = [answers[0], answers[other]].map((answer) => JSON.stringify(answer).slice(0, 2_000));
  throw new Error(
    `${name}: ${running[0]!.server.name} and ${offering[other]![1].server.name} answer differently:\n${first}\n${second}`,
  );
}

/** Names and types without the values. */
function shapeOf(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(shapeOf);
  if (typeof value !== 'object' || value === null) return typeof value;
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, shapeOf(inner)]));
}
