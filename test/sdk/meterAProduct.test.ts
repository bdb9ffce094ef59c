import { expect, test } from '@jest/globals';
import { useApi } from '../support/api.js';
import { newBusiness } from '../support/business.js';
import { expectInvariants } from '../support/invariants.js';
import { usePagePrograms } from '../support/pagePrograms.js';
import { closePeriodsAt } from '../support/pricing.js';

const api = useApi();
const page = usePagePrograms(api, 'docs/meter-a-product.md');

/** Lets a program believe that it is as late as the server does. */
const clockAt = (instant: string) => `const System = Date;
globalThis.Date = class extends System {
  constructor(...given: [number]) { super(...(given.length > 0 ? given : ([System.parse('${instant}')] as [number]))); }
} as never;
`;

/** What a program says that it prints, an id or key as three dots. */
const promised = (program: string) => [...program.matchAll(/\/\/ → (.*)$/gm)].map((match) => match[1]);

test('the programs of the page run as written, one after the other, and print what the page says', async () => {
  const { live } = await newBusiness(api);
  const open: Record<string, string> = { 'process.env.LATCHKEY_TOKEN': `'${live}'` };
  let now = '2026-03-10T12:00:00.000Z';
  api.setNow(now);
  const [sell, count, beyond, bill, giveBack] = page.blocks as [string, string, string, string, string];
  expect(page.blocks).toHaveLength(5);
  const runs = async (program: string) => {
    const printed = await page.run(program, open, clockAt(now));
    expect(promised(program).length).toBeGreaterThan(0);
    return printed;
  };

  const [made, ...stands] = await runs(sell);
  expect(stands).toEqual(promised(sell).slice(1));
  const [key, productKeyId, slaDefinitionId] = (made ?? '').split(' ') as [string, string, string];
  expect([key, productKeyId, slaDefinitionId]).toEqual(
    [/^[0-9a-f-]{36}$/, /^pk_/, /^sla_/].map((shape) => expect.stringMatching(shape)),
  );
  Object.assign(open, {
    '00000000-0000-4000-8000-000000000000': key,
    'pk_…': productKeyId,
    'sla_…': slaDefinitionId,
  });
  expect(await runs(count)).toEqual(promised(count));
  expect(await runs(beyond)).toEqual(promised(beyond));

  now = '2026-04-01T00:05:00.000Z';
  expect(await closePeriodsAt(api, now)).toBe(1);
  api.setNow(now);
  expect(await runs(bill)).toEqual(promised(bill));
  expect(await runs(giveBack)).toEqual(promised(giveBack));
  // Programs that are started again count, pay and give back nothing more.
  for (const program of [bill, giveBack]) expect(await runs(program)).toEqual(promised(program));
  await expectInvariants(api.db);
});
