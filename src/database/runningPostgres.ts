import { execFile } from 'node:child_process';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

/**
 * The PostgreSQL that serves `directory`, by the pid file in it; null if it is dead or its process id is now another program's.
 * `port` is missing while it has not written it yet.
 */
export async function runningPostgres(directory: string): Promise<{ pid: number; port?: number } | null> {
  const lines = await pidFileLines(directory);
  const pid = Number(lines?.[0]);
  if (!lines || !pid || !(await commandOf(pid)).split(/[\0\s"]/).includes(directory)) return null;
  return { pid, port: Number(lines[3]) || undefined };
}

/**
 * After a crash the pid file may name a process that now is another program of the same user, and PostgreSQL would refuse to
 * start. It never minds the process that starts it, so the file gets our own id; its other lines still protect the data from
 * server processes of an earlier start that live on.
 */
export async function disownStalePidFile(directory: string): Promise<void> {
  const lines = await pidFileLines(directory);
  if (lines) await writeFile(join(directory, 'postmaster.pid'), [process.pid, ...lines.slice(1)].join('\n'));
}

async function pidFileLines(directory: string): Promise<string[] | null> {
  const text = await readFile(join(directory, 'postmaster.pid'), 'utf8').catch(() => '');
  return text ? text.split('\n') : null;
}

/** The command line of a process; empty if there is no such process, or only its remains. */
async function commandOf(pid: number): Promise<string> {
  if (process.platform === 'linux') return await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '');
  const [program, args] =
    process.platform === 'win32'
      ? [
          'powershell',
          ['-NoProfile', '-Command', `(Get-CimInstance Win32_Process -Filter "ProcessId=${pid}").CommandLine`],
        ]
      : ['ps', ['-ww', '-o', 'args=', '-p', String(pid)]];
  return await new Promise((resolve) => {
    execFile(program, args, (error, stdout) => resolve(error ? '' : stdout));
  });
}
