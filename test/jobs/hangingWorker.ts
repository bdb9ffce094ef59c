// A process of its own that takes jobs and never finishes one, until somebody kills it. Started by worker.test.ts.
import { pino } from 'pino';
import { startJobWorker } from '../../src/jobs/worker.js';

await startJobWorker({
  url: process.argv[2] as string,
  concurrency: 2,
  tasks: {
    work: (payload) => {
      process.stdout.write(`took ${(payload as { nth: number }).nth}\n`);
      return new Promise(() => undefined);
    },
  },
  everyMinute: [],
  log: pino({ level: 'silent' }),
});
