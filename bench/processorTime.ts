import { readFile } from 'node:fs/promises';

/** Linux counts processor time in hundredths of a second. */
const TICK_MS = 10;

/** Milliseconds of a process's processor time, its own and the system's for it. Null where this system does not tell. */
export async function cpuMsOf(pid: number): Promise<number | null> {
  const fields = await statOf(pid);
  return fields && (fields[0] + fields[1]) * TICK_MS;
}

/**
 * The same of PostgreSQL: of its first process, which starts all others, of those that run, and of those that have ended.
 * @param pid of the first one
 */
export async function postgresCpuMs(pid: number): Promise<number | null> {
  const children = await readFile(`/proc/${pid}/task/${pid}/children`, 'utf8').catch(() => null);
  if (children === null) return null;
  const running = await Promise.all(
    children
      .split(' ')
      .filter(Boolean)
      .map((child) => cpuMsOf(Number(child))),
  );
  const own = await statOf(pid);
  return own && running.reduce<number>((sum, ms) => sum + (ms ?? 0), own.reduce((sum, ticks) => sum + ticks) * TICK_MS);
}

/** Ticks of a process and of its children that have ended: user, system, children's user, children's system. */
async function statOf(pid: number): Promise<[number, number, number, number] | null> {
  const text = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => null);
  if (text === null) return null;
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  return fields.slice(11, 15).map(Number) as [number, number, number, number];
}
