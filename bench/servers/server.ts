import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { request as httpRequest } from 'node:http';
import type { Operation } from '../workloads.js';

/** What every server of the benchmark is started with. */
export interface StartOptions {
  readonly databaseUrl: string;
  readonly port: number;
  /** What the server writes goes here. */
  readonly logFile: string;
  /** More arguments of node, such as `--cpu-prof`. */
  readonly nodeArguments: readonly string[];
}

/** A server that can be compared: one file in this folder each. */
export interface BenchServer {
  readonly name: string;
  /** Starts it and waits until it answers. */
  start(options: StartOptions): Promise<RunningServer>;
  /** How it wants to be asked; the answer's `data` must be what Latchkey answers. */
  request(operation: Operation, variables: Record<string, unknown>): { path: string; body: object };
  /** Operations that it does not have. */
  readonly skips?: readonly Operation[];
}

/** A server that runs, as a process of its own. */
export interface RunningServer {
  readonly pid: number;
  readonly port: number;
  /** Ends it; waits until it has. */
  stop(): Promise<void>;
}

const START_MS = 20_000;
const STOP_MS = 5_000;

/**
 * Runs a JavaScript file in a node of its own, and waits until GET `path` answers 200.
 * @throws Error with the end of the log, when it ends or does not answer in time
 */
export async function startNode(
  file: string,
  path: string,
  { port, logFile, nodeArguments }: StartOptions,
  env: Record<string, string>,
): Promise<RunningServer> {
  const log = openSync(logFile, 'a');
  const { PATH, TMPDIR } = process.env;
  const child = spawn(process.execPath, [...nodeArguments, file], {
    stdio: ['ignore', log, log],
    env: { PATH, TMPDIR, NODE_ENV: 'production', ...env },
  });
  closeSync(log);
  const ended = once(child, 'exit');
  const stop = async () => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    child.kill('SIGTERM');
    const kill = setTimeout(() => child.kill('SIGKILL'), STOP_MS);
    await ended;
    clearTimeout(kill);
  };
  const deadline = Date.now() + START_MS;
  while (!(await answers(port, path))) {
    if (child.exitCode !== null || Date.now() > deadline) {
      await stop();
      throw new Error(`${file} did not start: ${readFileSync(logFile, 'utf8').slice(-2_000)}`);
    }
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  return { pid: child.pid!, port, stop };
}

function answers(port: number, path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const request = httpRequest({ port, path, host: '127.0.0.1', timeout: 2_000, agent: false }, (response) => {
      response.resume();
      resolve(response.statusCode === 200);
    });
    request.on('timeout', () => request.destroy());
    request.on('error', () => resolve(false));
    request.end();
  });
}
