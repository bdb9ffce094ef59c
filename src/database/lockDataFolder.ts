import { createHash } from 'node:crypto';
import { realpath, rm } from 'node:fs/promises';
import { connect, createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/**
 * Makes this process the only owner of a data folder until it releases it or dies. The lock is a listening socket, which the
 * operating system closes with the process: nothing can stay locked after a kill -9.
 * @returns the release
 * @throws if another process owns the folder; the message says which
 */
export async function lockDataFolder(folder: string): Promise<() => Promise<void>> {
  const address = socketAddress(await realpath(folder));
  for (;;) {
    const server = createServer((socket) => socket.end(String(process.pid)));
    if (await listens(server, address)) {
      server.unref();
      return () => new Promise((resolve) => server.close(() => resolve()));
    }
    const owner = await ownerOf(address);
    if (owner !== undefined)
      throw new Error(
        `The data folder ${folder} is in use by another Latchkey (process ${owner}): stop that one, or set LATCHKEY_DATA_DIR.`,
      );
    // Nobody answers: on Linux and Windows it has just been released, elsewhere a dead owner left the file of its socket.
    if (!address.startsWith('\0')) await rm(address, { force: true });
  }
}

/** Linux and Windows have socket names that live only as long as their owner; elsewhere it is a file. */
function socketAddress(folder: string): string {
  const name = `latchkey-${createHash('sha256').update(folder).digest('hex').slice(0, 32)}`;
  if (process.platform === 'linux') return `\0${name}`;
  return process.platform === 'win32' ? `\\\\.\\pipe\\${name}` : join(tmpdir(), `${name}.sock`);
}

function listens(server: Server, address: string): Promise<boolean> {
  return new Promise((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) =>
      error.code === 'EADDRINUSE' ? resolve(false) : reject(error),
    );
    server.listen(address, () => resolve(true));
  });
}

/** The process id that the owner of the lock answers with, or undefined if nobody listens there. */
function ownerOf(address: string): Promise<string | undefined> {
  return new Promise((resolve) => {
    const socket = connect(address);
    let answer = '';
    socket.setEncoding('utf8').on('data', (text: string) => (answer += text));
    socket.once('error', () => resolve(undefined));
    socket.once('close', (hadError) => resolve(hadError ? undefined : answer || 'unknown'));
    // An owner that is too busy to answer owns it all the same.
    socket.setTimeout(2000, () => socket.destroy());
  });
}
