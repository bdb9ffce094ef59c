import type { Config } from './config.js';
import { startRelay, type RelayParts } from './events/relay.js';
import type { SystemParts } from './jobs/systemContext.js';
import { startJobWorker, type Task } from './jobs/worker.js';
import type { Database } from './kernel/database.js';
import { forgetExpiredIdempotencyKeys } from './kernel/idempotency.js';
import type { Keyring } from './kernel/secret.js';
import type { Logger } from './log.js';
import { forgetErasedMails } from './mail/forgetErasedMails.js';
import { sendDelivery, type MailContents } from './mail/sendDelivery.js';
import { fileTransport, smtpTransport } from './mail/transport.js';

/** What a task of the schedule works with. */
export interface ScheduledDeps extends SystemParts {
  /** When it is run. */
  readonly now: Date;
  readonly log: Logger;
}

/** Does what is due, for all businesses; gives how much it did. Several may run at once, and a run may be cut short. */
export type ScheduledTask = (deps: ScheduledDeps) => Promise<number>;

/** What a worker process is made from. */
export interface WorkerParts {
  readonly config: Config;
  readonly db: Database;
  /** A direct connection to the same database, not one through a transaction pooler. */
  readonly url: string;
  readonly keyring: Keyring;
  readonly log: Logger;
  /** The program's clock; tests set their own. */
  readonly clock?: () => Date;
  readonly contents: MailContents;
  /** What the features do every minute, by name. */
  readonly tasks?: Readonly<Record<string, ScheduledTask>>;
  readonly onChanges?: RelayParts['onChanges'];
  /** How often dead workers are looked for; tests are in a hurry. */
  readonly sweepMs?: number;
}

/** A running worker. */
export interface Worker {
  /** Something was written in this process: carry it onward now. */
  wake(): void;
  /** Gives back what still runs after the grace; resolves when nothing of it holds a connection or a lock. */
  stop(): Promise<void>;
}

const GRACE_MS = 5_000;

/** Starts the relay, the job worker and the schedule. Any number of processes may do so on one database. */
export async function startWorker(parts: WorkerParts): Promise<Worker> {
  const { config, url, db, keyring, log, clock = () => new Date(), contents } = parts;
  const { mailFrom, mailFolder } = config;
  const system = { db, keyring, mailFolder, clock };
  const transport =
    mailFolder === null ? smtpTransport(config.smtpUrl as string, mailFrom) : fileTransport(mailFolder, mailFrom);
  const scheduled = {
    forgetExpiredIdempotencyKeys: ({ now }: ScheduledDeps) => forgetExpiredIdempotencyKeys(db, now),
    forgetErasedMails,
    ...parts.tasks,
  };
  const worker = await startJobWorker({
    url,
    log,
    concurrency: config.workerConcurrency,
    tasks: {
      sendDelivery: sendDelivery({ ...system, contents, transport, mailFrom }),
      ...Object.fromEntries(
        Object.entries(scheduled).map(([name, task]) => [name, counted(name, task, { ...system, log })]),
      ),
    },
    everyMinute: Object.keys(scheduled),
    sweepMs: parts.sweepMs,
  });
  const relay = startRelay({ url, clock, log, onChanges: parts.onChanges });
  return {
    wake: relay.wake,
    async stop() {
      await Promise.all([relay.stop(), worker.stop(GRACE_MS)]);
    },
  };
}

function counted(name: string, task: ScheduledTask, deps: Omit<ScheduledDeps, 'now'>): Task {
  return async () => {
    const done = await task({ ...deps, now: deps.clock() });
    if (done > 0) deps.log.info({ task: name, done }, 'what was due is done');
  };
}
