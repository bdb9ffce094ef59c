import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import type { Readable } from 'node:stream';
import { expect, test } from '@jest/globals';
import { emptyDatabase } from '../support/database.js';
import { runProgram } from '../support/serverProcess.js';

test('of five processes that migrate one empty database at once, one applies and all are content', async () => {
  const { url, drop } = await emptyDatabase();
  const outcomes = await Promise.all(
    Array.from({ length: 5 }, async () => {
      const child = await runProgram('src/database/migrate', { DATABASE_URL: url });
      const [output, [code]] = await Promise.all([
        text(child.stdout as Readable),
        once(child, 'exit') as Promise<[number]>,
      ]);
      return { code, applied: output.includes('applied 2026') };
    }),
  );
  await drop();
  expect(outcomes.map(({ code }) => code)).toEqual([0, 0, 0, 0, 0]);
  expect(outcomes.filter(({ applied }) => applied)).toHaveLength(1);
});
