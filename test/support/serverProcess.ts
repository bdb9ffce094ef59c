import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createServer, type AddressInfo } from 'node:net';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { testEnvironment } from './api.js';
import { compiledSources } from './compiledSources.js';

const root = join(import.meta.dirname, '..', '..');

/** A whole server in a process of its own, as `npm start` runs it. */
export interface ServerProcess {
  readonly url: string;
  readonly process: ChildProcess;
  /** Everything that it wrote so far. */
  output(): string;
  /** Ends it with a signal and waits until it is gone; gives its exit code, null when the signal ended it. */
  end(signal: NodeJS.Signals): Promise<number | null>;
}

const running = new Set<ServerProcess>();

/** Ends the servers that a test which failed left behind: for `afterAll`. */
export async function endServerProcesses(): Promise<void> {
  await Promise.all([...running].map((server) => server.end('SIGKILL')));
}

/** A TCP port of the loopback that nobody listens on at this moment. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

/** Runs a program of the project, such as `src/main`, in a process of its own. */
export async function runProgram(program: string, environment: Record<string, string>): Promise<ChildProcess> {
  const folder = await compiledSources();
  return spawn(process.execPath, [join(folder, `${program}.js`)], {
    cwd: root,
    env: { PATH: process.env.PATH ?? '', ...environment },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
}

/** Starts the server and waits until it answers on `/readyz`. */
export async function startServerProcess(environment: Record<string, string>): Promise<ServerProcess> {
  const port = await freePort();
  const child = await runProgram('src/main', {
    ...testEnvironment,
    LATCHKEY_LOG_LEVEL: 'info',
    HOST: '127.0.0.1',
    PORT: String(port),
    ...environment,
  });
  let written = '';
  const gone = once(child, 'exit');
  for (const stream of [child.stdout, child.stderr])
    stream?.on('data', (chunk: Buffer) => (written += chunk.toString()));
  const url = `http://127.0.0.1:${port}`;
  const server: ServerProcess = {
    url,
    process: child,
    output: () => written,
    async end(signal) {
      if (child.exitCode === null && child.signalCode === null) child.kill(signal);
      await gone;
      running.delete(server);
      return child.exitCode;
    },
  };
  running.add(server);
  const listening = new Promise<void>((resolve) => {
    if (child.stdout) createInterface(child.stdout).on('line', (line) => line.includes(`:${port}`) && resolve());
  });
  const early = gone.then(() => {
    throw new Error(`the server ended before it listened:\n${written}`);
  });
  await Promise.race([listening, early]);
  early.catch(() => {});
  const ready = await fetch(`${url}/readyz`);
  if (!ready.ok) throw new Error(`the server listens but is not ready: ${await ready.text()}`);
  return server;
}

/** One GraphQL call over HTTP; rejects when the connection breaks. */
export async function post(
  url: string,
  token: string,
  query: string,
  variables: Record<string, unknown>,
): Promise<{ data: any; errors?: { message: string; extensions: Record<string, unknown> }[]; extensions?: any }> {
  const response = await fetch(`${url}/graphql`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: `Bearer ${token}` },
    body: JSON.stringify({ query, variables }),
  });
  return (await response.json()) as Awaited<ReturnType<typeof post>>;
}
