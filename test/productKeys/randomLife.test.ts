import { expect, test } from '@jest/globals';
import { pino } from 'pino';
import { readConfig } from '../../src/config.js';
import { keyringOf } from '../../src/keyring.js';
import { applyDueProductKeyEvents } from '../../src/productKeys/applyDueProductKeyEvents.js';
import { testEnvironment, useApi } from '../support/api.js';
import { newBusiness, newCustomer } from '../support/business.js';
import { newProduct } from '../support/catalog.js';
import { newDiscount } from '../support/discounts.js';
import { expectInvariants } from '../support/invariants.js';
import { rowId } from '../support/licenses.js';
import { callPricing, closePeriodsAt, newPricingRule } from '../support/pricing.js';
import { callProductKey, newProductKey } from '../support/productKeys.js';
import { callSla, newSlaDefinition } from '../support/sla.js';
import { callUsage } from '../support/usage.js';

const api = useApi();
const keyring = keyringOf(readConfig(testEnvironment));
const rounds = process.env.DEEP ? 400 : 15;
const FIRST = Date.parse('2026-03-01T00:00:00Z');
const day = (n: number) => new Date(FIRST + n * 86_400_000).toISOString();

/** Numbers that look random, the same in each run with one seed. */
function randomFrom(seed: number) {
  let state = seed;
  return (below: number) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}

test('whatever happens to keys, at once and in any order: no fault, no gap in a history, no more given back than was paid, no use lost', async () => {
  const random = randomFrom(Number(process.env.SEED ?? 20_260_301));
  const pick = <T>(...of: T[]): T => of[random(of.length)] as T;
  api.setNow(day(0));
  const { live } = await newBusiness(api);
  const owners = [await newCustomer(api, live), await newCustomer(api, live)] as const;
  const products = [
    await newProduct(api, live, { trialDays: 4, quotaPeriod: 'WEEK' }),
    await newProduct(api, live, { overQuota: 'METER', quotaPeriod: 'DAY', quotaAnchor: 'CALENDAR' }),
  ];
  const pricingRuleIds = [
    await newPricingRule(api, live, { model: 'FLAT', amount: '31' }),
    await newPricingRule(api, live, { model: 'PER_UNIT', unitPrice: '0.333', appliesTo: 'OVERAGE' }),
  ];
  const { code: discountCode } = await newDiscount(api, live, { usageLimit: 9, isCombinable: true });
  const slaDefinitionId = await newSlaDefinition(api, live);
  let now = 0;
  const fields = () => ({
    ...{
      owner: pick(...owners),
      productIds: [pick(...products)],
      start: day(now + random(4) - 1),
      quota: pick(null, 5, 40),
    },
    ...{
      allowMidPeriodCancellation: pick(true, false),
      disableOnPaymentFailed: pick(true, false),
      notifyOnTrialExpiry: true,
    },
    ...{
      quotaNotificationThreshold: '50',
      notifyOwnerOnQuotaThreshold: true,
      expiration: pick(null, day(now + 3 + random(20))),
    },
    valid: random(8) > 0,
    pricingRuleIds: pick([], pricingRuleIds),
    slaDefinitionIds: [slaDefinitionId],
  });
  const ids = await Promise.all(Array.from({ length: 5 }, () => newProductKey(api, live, fields())));
  const call = (name: string, input: Record<string, unknown>) => callProductKey(api, live, name, input);
  const charge = (name: string, input: Record<string, unknown>) => callPricing(api, live, name, input, '__typename');
  const operations: ((productKeyId: string) => Promise<unknown>)[] = [
    (productKeyId) => call('disableProductKey', { productKeyId, reason: pick(null, 'x') }),
    (productKeyId) => call('enableProductKey', { productKeyId }),
    (productKeyId) => call('cancelProductKey', { productKeyId, at: pick('PERIOD_END', 'PERIOD_END', 'NOW') }),
    (productKeyId) => call('withdrawProductKeyCancellation', { productKeyId }),
    (productKeyId) => charge('attachPricingRule', { productKeyId, pricingRuleId: pick(...pricingRuleIds) }),
    (productKeyId) => charge('detachPricingRule', { productKeyId, pricingRuleId: pick(...pricingRuleIds) }),
    (productKeyId) => charge('applyDiscountToProductKey', { productKeyId, discountCode }),
    (productKeyId) => {
      const startsAt = now - 1 - random(6);
      const breach = { metric: 'AVAILABILITY', measured: '98', startsAt: day(startsAt), endsAt: day(startsAt + 0.5) };
      return callSla(api, live, 'recordSlaBreach', { productKeyId, slaDefinitionId, ...breach }, '__typename');
    },
    () => closePeriodsAt(api, day(now)),
    () => closePeriodsAt(api, day(now)),
    (productKeyId) => call('rotateProductKey', { productKeyId, graceUntil: pick(null, day(now + 2)) }),
    (productKeyId) => call('transferProductKey', { productKeyId, owner: pick(...owners) }),
    (productKeyId) => call('updateProductKey', { productKeyId, start: day(now + random(5) - 2) }),
    (productKeyId) =>
      call('updateProductKey', {
        productKeyId,
        quota: pick(null, 3, 50),
        quotaNotificationThreshold: pick('10', '90'),
      }),
    (productKeyId) => {
      const from = now + random(8) - 4;
      const paid = {
        result: pick('SUCCEEDED', 'SUCCEEDED', 'FAILED'),
        amount: String(1 + random(99)),
        currencyCode: pick('USD', 'JPY'),
      };
      const period = pick({}, { periodStart: day(from), periodEnd: day(from + 1 + random(30)) });
      return call('recordPaymentResult', {
        productKeyId,
        externalPaymentId: `${productKeyId} ${random(40)}`,
        ...paid,
        ...period,
      });
    },
    (productKeyId) =>
      callUsage(api, live, 'recordUsage', {
        productKeyId,
        amount: 1 + random(3),
        idempotencyKey: pick(null, `u${random(9)}`),
      }),
    (productKeyId) => {
      const rows = Array.from({ length: 4 }, () => ({ productKeyId: pick(productKeyId, ...ids), amount: 1 }));
      return callUsage(api, live, 'recordUsages', { rows });
    },
    (productKeyId) => callUsage(api, live, 'correctUsage', { productKeyId, amount: -1 - random(2), reason: 'x' }),
    (id) =>
      api.data({
        token: live,
        query: 'query ($id: ID!) { productKey(id: $id) { key } }',
        variables: { id },
      }),
    () => {
      const instant = new Date(day(now));
      const log = pino({ level: 'silent' });
      return applyDueProductKeyEvents({
        db: api.db,
        keyring,
        mailFolder: null,
        clock: () => instant,
        now: instant,
        log,
      });
    },
  ];
  const faults: unknown[] = [];
  for (let round = 0; round < rounds; round++) {
    const chosen = Array.from({ length: 6 }, () => [pick(...operations), pick(...ids)] as const);
    const answers = await Promise.allSettled(chosen.map(([operate, id]) => operate(id)));
    for (const answer of answers) {
      const errors = answer.status === 'rejected' ? answer.reason : (answer.value as { errors?: unknown }).errors;
      // Another amount under a usage key is a conflict, as it should be.
      if (errors && !JSON.stringify(errors).includes('IDEMPOTENCY_CONFLICT')) faults.push(String(errors), errors);
    }
    now += pick(0, 0, 0.3, 1, 2);
    api.setNow(day(now));
    if (round % 6 === 5) ids[random(ids.length)] = await newProductKey(api, live, fields());
  }
  expect(faults).toEqual([]);
  await expectInvariants(api.db);
  const ask = (text: string) => api.db.sql(null, text, []);
  const gaps = `SELECT k.id, k.version, count(*)::int AS changes, max(c.sequence) AS last FROM product_keys k
    JOIN changes c ON c.object_id = k.id GROUP BY 1, 2 HAVING count(*) <> k.version OR max(c.sequence) <> k.version`;
  expect(await ask(gaps)).toEqual([]);
  const overpaid = `SELECT p.currency FROM product_key_payments p WHERE result = 'SUCCEEDED' GROUP BY 1
    HAVING sum(amount_minor) < (SELECT coalesce(sum(balance_minor), 0) FROM wallets w WHERE w.currency = p.currency)`;
  expect(await ask(overpaid)).toEqual([]);
  const lost = `SELECT m.id, m.consumed, h.used, p.closed FROM product_key_meters m
    LEFT JOIN LATERAL (SELECT sum(amount - corrected) AS used FROM product_key_usage_hours WHERE product_key_id = m.id) h ON true
    LEFT JOIN LATERAL (SELECT sum(consumed) AS closed FROM product_key_statements WHERE product_key_id = m.id) p ON true
    WHERE (CASE WHEN m.closed_at IS NULL THEN m.consumed ELSE 0 END) + coalesce(p.closed, 0) <> coalesce(h.used, 0)`;
  expect(await ask(lost)).toEqual([]);
  const twice = `SELECT object_id, after ->> 'quotaPeriodStart' FROM changes WHERE type = 'product_key.quota_threshold_exceeded'
    GROUP BY 1, 2 HAVING count(*) > 1`;
  expect(await ask(twice)).toEqual([]);
  const [used] = await api.db.sql<{ n: number }>(
    null,
    'SELECT count(*)::int AS n FROM changes WHERE object_id = ANY($1::uuid[])',
    [ids.map(rowId)],
  );
  expect(used!.n).toBeGreaterThan(20);
  api.setNow(null);
}, 600_000);
