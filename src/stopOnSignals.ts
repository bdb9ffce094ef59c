import type { Logger } from './log.js';

/** How one part of the process is ended. */
export interface Stop {
  readonly name: string;
  readonly stop: () => Promise<void>;
}

/**
 * Ends the process on SIGTERM or SIGINT: its parts from the last started to the first, then exit 0, or 1 when one of them
 * failed to end. A second signal exits at once.
 * @param stops filled while the process starts; read when the signal comes
 */
export function stopOnSignals(log: Logger, stops: readonly Stop[]): void {
  let stopping = false;
  const onSignal = (signal: NodeJS.Signals) => {
    if (stopping) process.exit(1);
    stopping = true;
    log.info({ signal }, 'stopping');
    void stopAll(log, stops).then((ok) => process.exit(ok ? 0 : 1));
  };
  process.on('SIGTERM', onSignal);
  process.on('SIGINT', onSignal);
}

async function stopAll(log: Logger, stops: readonly Stop[]): Promise<boolean> {
  let ok = true;
  for (const { name, stop } of stops.toReversed()) {
    try {
      await stop();
    } catch (error) {
      ok = false;
      log.error({ err: error }, `${name} did not stop`);
    }
  }
  return ok;
}
