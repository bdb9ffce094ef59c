import { randomUUID } from 'node:crypto';
import { beforeAll, expect, test } from '@jest/globals';
import { pino } from 'pino';
import { readConfig } from '../../src/config.js';
import { keyringOf } from '../../src/keyring.js';
import { applyDueProductKeyEvents } from '../../src/productKeys/applyDueProductKeyEvents.js';
import { testEnvironment, useApi } from '../support/api.js';
import { newBusiness, newCustomer, newOrganization, newSession } from '../support/business.js';
import { newProduct } from '../support/catalog.js';
import { changesOf } from '../support/licenses.js';
import { callPricing, closePeriodsAt, newPricingRule, quote, statementsOf } from '../support/pricing.js';
import { callProductKey, newApplication, productKeyInput } from '../support/productKeys.js';
import { callSla, newSlaDefinition } from '../support/sla.js';
import { callUsage } from '../support/usage.js';

const api = useApi();
const NOW = '2026-03-01T12:00:00.000Z';
const later = (days: number) => new Date(Date.parse(NOW) + days * 86_400_000).toISOString();

type Fields = Record<string, unknown>;
type Stage = Record<'live' | 'provider' | 'organization' | 'product' | 'named' | 'tried' | 'application', string>;
let stage: Stage;

beforeAll(async () => {
  api.setNow(NOW);
  const { live } = await newBusiness(api);
  const product = (sku: string, fields = {}) => newProduct(api, live, { sku, ...fields });
  stage = {
    live,
    provider: await newOrganization(api, live),
    organization: await newOrganization(api, live),
    product: await product('OPEN'),
    named: await product('NAMED', { audience: 'NAMED' }),
    tried: await product('TRIED', { trialDays: 10 }),
    application: await newApplication(api, live),
  };
});

interface Made {
  id: string;
  key: string;
  owner: { id: string; name: string; email: string; firstName: string; lastName: string; organization: { id: string } };
  [field: string]: any;
}

const shown = `id number key status valid owner { id name email firstName lastName organization { id } } applications { name externalId }
  deliveries { recipient template } expiration start`;

async function make(fields: Fields = {}, headers: Record<string, string> = {}): Promise<Made> {
  const { createProductKey } = await api.data({
    token: stage.live,
    query: `mutation ($input: CreateProductKeyInput!) { createProductKey(input: $input) { productKey { ${shown} } userErrors { path message } } }`,
    variables: { input: await productKeyInput(api, stage.live, { productIds: [stage.product], ...fields }) },
    headers,
  });
  return createProductKey.productKey;
}

const read = async (id: string, fields = shown) =>
  (
    await api.data({
      token: stage.live,
      query: `query ($id: ID!) { productKey(id: $id) { ${fields} } }`,
      variables: { id },
    })
  ).productKey;
const listed = async (args: string) =>
  (await api.data({ token: stage.live, query: `{ productKeys(${args}) { nodes { id } } }` })).productKeys.nodes.map(
    ({ id }: { id: string }) => id,
  );

/** What becomes of a use: the codes of why not; none: it was counted. */
async function use(key: string, amount: number | string = 1): Promise<string[]> {
  const { data } = await callUsage(api, stage.live, 'recordUsage', { key, amount });
  return data.recordUsage.userErrors.map(({ code }: { code: string }) => code);
}

/** Why a key may not be used for a product; nothing: it may. */
async function access(key: string, productSku = 'OPEN', who: Fields = {}): Promise<string[]> {
  const { productKeyAccess } = await api.data({
    token: stage.live,
    query: `query ($key: String!, $productSku: String!, $consumerEmail: String, $organizationId: ID) { productKeyAccess(
      key: $key, productSku: $productSku, consumerEmail: $consumerEmail, organizationId: $organizationId) { allowed reasons { code } } }`,
    variables: { key, productSku, ...who },
  });
  expect(productKeyAccess.allowed).toBe(productKeyAccess.reasons.length === 0);
  return productKeyAccess.reasons.map(({ code }: { code: string }) => code);
}

const call = (name: string, productKeyId: string, more: Fields = {}) =>
  callProductKey(api, stage.live, name, { productKeyId, ...more });
const codes = (payload: any) => payload.userErrors.map(({ code }: { code: string }) => code);
const mailsTo = async (id: string) =>
  (await read(id)).deliveries.map(
    ({ recipient, template }: any) => `${recipient} ${template.replace('product-key-', '')}`,
  );

/** Runs the worker's job at an instant. */
async function work(at: string): Promise<void> {
  const now = new Date(at);
  const keyring = keyringOf(readConfig(testEnvironment));
  const log = pino({ level: 'silent' });
  await applyDueProductKeyEvents({ db: api.db, keyring, mailFolder: null, clock: () => now, now, log });
}

/** The instant is the program's clock while something is asked. */
async function at<T>(instant: string, ask: () => Promise<T>): Promise<T> {
  api.setNow(instant);
  try {
    return await ask();
  } finally {
    api.setNow(NOW);
  }
}

/** The 32 fields of the source, in its order (analysis of source 004), under their names here where they differ. */
const source =
  `providerOrganizationId organizationId productIds description valid owner key slaDefinitionIds pricingRuleIds expiration
  clientEmailAddress externalQuoteId quota consumedQuota quotaNotificationThreshold applications notifyCreatorOnCreation
  notificationAddressesOnCreation notifyOwnerOnQuotaThreshold notificationAddressesOnQuotaThreshold applicationExternalId
  disableOnPaymentFailed companyName namedConsumers namedOrganizations dataProviderConfigurationId allowMidPeriodCancellation
  notifyOnTrialExpiry clientFirstName tags clientLastName start`.split(/\s+/);

const slaBreachShown = 'slaBreach { definitionVersion { number } credits { amount } }';

interface Row {
  behavior: string;
  /** What it shows, and what that has to be. */
  shows: () => Promise<[shown: unknown, expected: unknown]>;
}

const rows: Record<string, Row> = {
  providerOrganizationId: {
    behavior: 'keys are found by who provided them',
    shows: async () => {
      const { id } = await make({ providerOrganizationId: stage.provider });
      return [await listed(`where: { providerOrganizationId: { in: ["${stage.provider}"] } }`), [id]];
    },
  },
  organizationId: {
    behavior: 'an account that is made for the owner joins it, and keys are found by it',
    shows: async () => {
      const organization = await newOrganization(api, stage.live);
      const { id, owner } = await make({ organizationId: organization });
      const found = await listed(`where: { organizationId: { in: ["${organization}"] } }`);
      return [
        [owner.organization.id, found],
        [organization, [id]],
      ];
    },
  },
  productIds: {
    behavior: 'it can be used for these products and no others',
    shows: async () => {
      const { key } = await make({ productIds: [stage.product, stage.tried] });
      return [
        [await access(key), await access(key, 'TRIED'), await access(key, 'NAMED')],
        [[], [], ['PRODUCT_MISMATCH']],
      ];
    },
  },
  description: {
    behavior: 'keys are searched by it',
    shows: async () => {
      const { id } = await make({ description: ' Weather for Boats ' });
      return [await listed('search: "for BOATS"'), [id]];
    },
  },
  valid: {
    behavior: 'false: it is made DISABLED, until somebody enables it',
    shows: async () => {
      const { id, key, valid } = await make({ valid: false });
      const off = [valid, await access(key), await use(key)];
      await call('enableProductKey', id);
      return [
        [off, await use(key)],
        [[false, ['KEY_DISABLED'], ['PRODUCT_KEY_NOT_USABLE']], []],
      ];
    },
  },
  owner: {
    behavior: 'its session sees the key, nobody else’s does',
    shows: async () => {
      const [owner, other] = [await newCustomer(api, stage.live), await newCustomer(api, stage.live)];
      const { id } = await make({ owner, clientEmailAddress: '' });
      const seen = async (customerId: string) => {
        const token = await newSession(api, stage.live, customerId);
        const { productKeys } = await api.data({ token, query: '{ productKeys { nodes { id } } }' });
        return productKeys.nodes;
      };
      return [
        [await seen(owner), await seen(other)],
        [[{ id }], []],
      ];
    },
  },
  key: {
    behavior: 'a given GUID works in any spelling; without one a GUID is made',
    shows: async () => {
      const key = randomUUID();
      const made = [await make({ key }), await make({ key: ' ' }), await make()];
      const guid = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;
      const spelt = await use(key.toUpperCase().replaceAll('-', ''));
      return [
        [spelt, made.map((one) => guid.test(one.key)), new Set(made.map((one) => one.key)).size],
        [[], [true, true, true], 3],
      ];
    },
  },
  slaDefinitionIds: {
    behavior: 'a breach credits the owner’s wallet, by the version that was attached at creation',
    shows: async () => {
      const [slaDefinitionId, owner] = [await newSlaDefinition(api, stage.live), await newCustomer(api, stage.live)];
      const { id } = await make({ slaDefinitionIds: [slaDefinitionId], owner });
      // The version that the key has gives back 25 percent; the newer one nothing.
      await callSla(api, stage.live, 'updateSlaDefinition', { slaDefinitionId, penalties: [] }, '__typename');
      const paid = { externalPaymentId: randomUUID(), result: 'SUCCEEDED', amount: '30', currencyCode: 'USD' };
      await call('recordPaymentResult', id, { ...paid, periodStart: NOW, periodEnd: later(30) });
      const breach = { metric: 'AVAILABILITY', measured: '98', startsAt: NOW, endsAt: later(1) };
      const { slaBreach } = await at(later(2), () =>
        callSla(api, stage.live, 'recordSlaBreach', { productKeyId: id, slaDefinitionId, ...breach }, slaBreachShown),
      );
      const token = await newSession(api, stage.live, owner);
      const { wallets } = await api.data({ token, query: '{ wallets { nodes { balance { amount currencyCode } } } }' });
      return [
        [slaBreach, wallets.nodes],
        [
          { definitionVersion: { number: 1 }, credits: [{ amount: '7.50' }] },
          [{ balance: { amount: '7.50', currencyCode: 'USD' } }],
        ],
      ];
    },
  },
  pricingRuleIds: {
    behavior: 'quotes and statements charge by these rules, at the versions that were attached at creation',
    shows: async () => {
      const [flat, unit] = [
        await newPricingRule(api, stage.live, { model: 'FLAT', amount: '31' }),
        await newPricingRule(api, stage.live, { model: 'PER_UNIT', unitPrice: '0.5', appliesTo: 'OVERAGE' }),
      ];
      const product = await newProduct(api, stage.live, { quotaPeriod: 'DAY', overQuota: 'METER' });
      const { id, key } = await make({ productIds: [product], pricingRuleIds: [flat, unit], quota: 2 });
      const dearer = { pricingRuleId: flat, amount: '310' };
      await callPricing(api, stage.live, 'updatePricingRule', dearer, '__typename');
      await use(key, 5);
      const quoted = await quote(api, stage.live, { productKeyId: id, units: 1 });
      await closePeriodsAt(api, later(1));
      const [statement] = await statementsOf(api, stage.live, id);
      const charged = ({ lines, total }: any) => [
        ...lines.map((line: any) => `${line.model} v${line.pricingRuleVersion}: ${line.units} ${line.amount.amount}`),
        total.amount,
      ];
      return [
        [charged(quoted), charged(statement)],
        [
          ['FLAT v1: 0 31.00', 'PER_UNIT v1: 4 2.00', '33.00'],
          ['FLAT v1: 0 31.00', 'PER_UNIT v1: 3 1.50', '32.50'],
        ],
      ];
    },
  },
  expiration: {
    behavior: 'milliseconds or text; from then on it is EXPIRED for everybody',
    shows: async () => {
      const made = [await make({ expiration: Date.parse(later(5)) }), await make({ expiration: later(5) })];
      const [{ id, key }] = made as [Made, Made];
      const before = await at(new Date(Date.parse(later(5)) - 1).toISOString(), () => access(key));
      const [status, usable] = await at(later(5), async () => [(await read(id)).status, await use(key)]);
      const told = made.map(({ expiration }) => expiration);
      return [
        [told, before, status, usable],
        [[later(5), later(5)], [], 'EXPIRED', ['PRODUCT_KEY_NOT_USABLE']],
      ];
    },
  },
  clientEmailAddress: {
    behavior: 'the account is made from it once, and found by it after, in any case',
    shows: async () => {
      const first = await make({ clientEmailAddress: 'Erika@fields.example' });
      const second = await make({ clientEmailAddress: ' eRIKA@fields.EXAMPLE ', clientFirstName: 'Other' });
      return [
        [first.owner.email, second.owner],
        ['Erika@fields.example', first.owner],
      ];
    },
  },
  externalQuoteId: {
    behavior: 'keys are found and searched by it',
    shows: async () => {
      const { id } = await make({ externalQuoteId: ' Q-4711 ' });
      return [
        [await listed('where: { externalQuoteId: { in: ["Q-4711"] } }'), await listed('search: "q-47"')],
        [[id], [id]],
      ];
    },
  },
  quota: {
    behavior: 'so many uses and no more; absent: any number',
    shows: async () => {
      const [limited, free] = [await make({ quota: '3' }), await make()];
      const uses = [
        await use(limited.key, 3),
        await access(limited.key),
        await use(limited.key),
        await use(free.key, 10 ** 9),
      ];
      return [
        [uses, (await read(limited.id)).valid],
        [[[], ['QUOTA_EXHAUSTED'], ['QUOTA_EXCEEDED'], []], false],
      ];
    },
  },
  consumedQuota: {
    behavior: 'uses before the key came count against its quota, and above 2^53 exactly',
    shows: async () => {
      const [some, much] = [
        await make({ quota: 10, consumedQuota: 8 }),
        await make({ quota: '9223372036854775807', consumedQuota: '9007199254740993' }),
      ];
      const uses = [await use(some.key, 3), await use(some.key, 2), await use(much.key)];
      return [
        [uses, (await read(much.id, 'consumedQuota')).consumedQuota],
        [[['QUOTA_EXCEEDED'], [], []], '9007199254740994'],
      ];
    },
  },
  quotaNotificationThreshold: {
    behavior: 'exceeding it is told, equal is not exceeding; thousandths of a percent count',
    shows: async () => {
      const { id, key } = await make({ quota: 100_000, quotaNotificationThreshold: 33.333 });
      const told = async () =>
        (await changesOf(api, id)).filter(({ type }) => type.endsWith('threshold_exceeded')).length;
      await use(key, 33_333);
      const equal = await told();
      await use(key);
      return [
        [equal, await told()],
        [0, 1],
      ];
    },
  },
  applications: {
    behavior: 'keys are found by what their applications are called elsewhere',
    shows: async () => {
      const application = await newApplication(api, stage.live, { name: 'Kiosk', externalId: 'kiosk-1' });
      const { id, applications } = await make({ applications: [stage.application, application] });
      const found = await listed('where: { applicationExternalId: { in: ["kiosk-1"] } }');
      return [
        [applications.map(({ name }: any) => name), found],
        [['Gateway', 'Kiosk'], [id]],
      ];
    },
  },
  notifyCreatorOnCreation: {
    behavior: 'the human behind the API key gets the mail with the key, or does not',
    shows: async () => {
      const actor = { 'x-actor': 'creator@vendor.example' };
      const [told, silent] = [await make({ notifyCreatorOnCreation: true }, actor), await make({}, actor)];
      return [
        [await mailsTo(told.id), await mailsTo(silent.id)],
        [['creator@vendor.example created'], []],
      ];
    },
  },
  notificationAddressesOnCreation: {
    behavior: 'each of them gets that mail once',
    shows: async () => {
      const { id } = await make({
        notificationAddressesOnCreation: ['a@fields.example', 'A@fields.example', 'b@fields.example'],
      });
      return [(await mailsTo(id)).sort(), ['a@fields.example created', 'b@fields.example created']];
    },
  },
  notifyOwnerOnQuotaThreshold: {
    behavior: 'the owner is told of the threshold, or is not',
    shows: async () => {
      const over = { quota: 10, quotaNotificationThreshold: 50, clientEmailAddress: 'owner@fields.example' };
      const [told, silent] = [await make({ ...over, notifyOwnerOnQuotaThreshold: true }), await make(over)];
      for (const { key } of [told, silent]) await use(key, 6);
      return [
        [await mailsTo(told.id), await mailsTo(silent.id)],
        [['owner@fields.example quota-threshold'], []],
      ];
    },
  },
  notificationAddressesOnQuotaThreshold: {
    behavior: 'so are these',
    shows: async () => {
      const to = { notificationAddressesOnQuotaThreshold: ['ops@fields.example'] };
      const { id, key } = await make({ ...to, quota: 10, quotaNotificationThreshold: 50 });
      await use(key, 6);
      return [await mailsTo(id), ['ops@fields.example quota-threshold']];
    },
  },
  applicationExternalId: {
    behavior: 'an application of that id is made, or found, and uses the key',
    shows: async () => {
      const [first, second] = [
        await make({ applicationExternalId: 'gw-1' }),
        await make({ applicationExternalId: 'gw-1' }),
      ];
      const found = (await listed('where: { applicationExternalId: { in: ["gw-1"] } }')).sort();
      const application = { name: 'gw-1', externalId: 'gw-1' };
      return [
        [second.applications, found],
        [[application], [first.id, second.id].sort()],
      ];
    },
  },
  disableOnPaymentFailed: {
    behavior: 'a failed payment disables it, the next success restores it; without it nothing happens',
    shows: async () => {
      const [strict, lenient] = [await make({ disableOnPaymentFailed: true }), await make()];
      const pay = (id: string, result: string) =>
        call('recordPaymentResult', id, {
          ...{
            externalPaymentId: `${id} 1`,
            result,
            amount: '1',
            currencyCode: 'USD',
            periodStart: NOW,
            periodEnd: later(30),
          },
        });
      for (const { id } of [strict, lenient]) await pay(id, 'FAILED');
      const off = [await access(strict.key), await access(lenient.key)];
      await pay(strict.id, 'SUCCEEDED');
      return [
        [off, await access(strict.key)],
        [[['KEY_UNPAID'], []], []],
      ];
    },
  },
  companyName: {
    behavior: 'an account that is made is called so',
    shows: async () => [(await make({ companyName: ' Muster KG ' })).owner.name, 'Muster KG'],
  },
  namedConsumers: {
    behavior: 'of a product whose audience is NAMED, these may use it',
    shows: async () => {
      const { key } = await make({ productIds: [stage.named], namedConsumers: ['Erika@Fields.example'] });
      const ask = (consumerEmail: string) => access(key, 'NAMED', { consumerEmail });
      return [
        [await ask('erika@fields.example'), await ask('x@fields.example')],
        [[], ['CONSUMER_NOT_NAMED']],
      ];
    },
  },
  namedOrganizations: {
    behavior: 'so may these, and their members',
    shows: async () => {
      const organizationId = await newOrganization(api, stage.live);
      await newCustomer(api, stage.live, { email: 'member@fields.example', organizationId });
      const { key } = await make({ productIds: [stage.named], namedOrganizations: [organizationId] });
      const asked = [
        { organizationId },
        { consumerEmail: 'member@fields.example' },
        { organizationId: stage.organization },
      ];
      const found = await Promise.all(asked.map((who) => access(key, 'NAMED', who)));
      return [found, [[], [], ['ORGANIZATION_NOT_NAMED']]];
    },
  },
  dataProviderConfigurationId: {
    behavior: 'keys are found by it',
    shows: async () => {
      const { id } = await make({ dataProviderConfigurationId: 'dp-1' });
      return [await listed('where: { dataProviderConfigurationId: { in: ["dp-1"] } }'), [id]];
    },
  },
  allowMidPeriodCancellation: {
    behavior: 'it can be cancelled at once; without it at the end of its period only',
    shows: async () => {
      const paid = { externalPaymentId: randomUUID(), result: 'SUCCEEDED', amount: '30', currencyCode: 'USD' };
      const made = [await make({ allowMidPeriodCancellation: true }), await make()];
      const answers = [];
      for (const [i, { id }] of made.entries()) {
        const period = { periodStart: NOW, periodEnd: later(30), externalPaymentId: `${paid.externalPaymentId} ${i}` };
        await call('recordPaymentResult', id, { ...paid, ...period });
        const cancelled = await call('cancelProductKey', id, { at: 'NOW' });
        answers.push([codes(cancelled), (await read(id)).status]);
      }
      return [
        answers,
        [
          [[], 'CANCELLED'],
          [['MID_PERIOD_CANCELLATION_NOT_ALLOWED'], 'ACTIVE'],
        ],
      ];
    },
  },
  notifyOnTrialExpiry: {
    behavior: 'the owner is told three days before the trial ends, or is not',
    shows: async () => {
      const tried = { productIds: [stage.tried], clientEmailAddress: 'tried@fields.example' };
      const [told, silent] = [await make({ ...tried, notifyOnTrialExpiry: true }), await make(tried)];
      await work(new Date(Date.parse(later(7)) - 1).toISOString());
      const before = await mailsTo(told.id);
      await work(later(7));
      return [
        [before, await mailsTo(told.id), await mailsTo(silent.id)],
        [[], ['tried@fields.example trial-expiring'], []],
      ];
    },
  },
  clientFirstName: {
    behavior: 'an account that is made is called so; blank: it has none',
    shows: async () => {
      const made = [await make({ clientFirstName: ' Max ' }), await make({ clientFirstName: '' })];
      return [
        made.map(({ owner }) => [owner.firstName, owner.name]),
        [
          ['Max', 'Max Mustermann'],
          [null, 'Mustermann'],
        ],
      ];
    },
  },
  tags: {
    behavior: 'keys are found by each of them',
    shows: async () => {
      const { id } = await make({ tags: ['gold', 'api', 'gold'] });
      return [
        [await listed('where: { tag: { in: ["api"] } }'), (await read(id, 'tags')).tags],
        [[id], ['gold', 'api']],
      ];
    },
  },
  clientLastName: {
    behavior: 'an account that is made is called so',
    shows: async () => [(await make({ clientLastName: 'Test' })).owner.lastName, 'Test'],
  },
  start: {
    behavior: 'milliseconds or text; before it nothing can be used, from then on it can',
    shows: async () => {
      const made = [await make({ start: Date.parse(later(2)) }), await make({ start: later(2) })];
      const [{ key, status }] = made as [Made, Made];
      const before = [status, await access(key), await use(key)];
      const begun = await at(later(2), () => use(key));
      const told = made.map(({ start }) => start);
      return [
        [told, before, begun],
        [[later(2), later(2)], ['SCHEDULED', ['KEY_SCHEDULED'], ['PRODUCT_KEY_NOT_USABLE']], []],
      ];
    },
  },
};

test('each of the 32 fields has a row', () => {
  expect(source).toHaveLength(32);
  expect(Object.keys(rows).sort()).toEqual([...source].sort());
});

test.each(source.map((field) => ({ field, ...(rows[field] as Row) })))('$field: $behavior', async ({ shows }) => {
  const [shown, expected] = await shows();
  expect(shown).toEqual(expected);
});

const long = (count: number) => 'x'.repeat(count);
const many = (count: number) => Array.from({ length: count }, (_, i) => `x${i}`);
const wrongType: unknown[] = [{ a: 1 }];
const noText = [...wrongType, 'a\u0000b', 'a\u0007b', 'a\ud800b'];
const noIds = [...noText, true, 1.5];
const noBoolean = [...wrongType, 'yes', 1, null];
const noInstant = [
  ...wrongType,
  true,
  'soon',
  '2026-02-30',
  1.5,
  '99999999999999999',
  253402300800000,
  -62135596800001,
];
const noCount = [...wrongType, true, 'many', 1.5, '9223372036854775808', 2 ** 53];
const noList = [[null], [{ a: 1 }], ['a\u0000b'], many(251)];

/**
 * What each field does not take. `shape`: refused as BAD_USER_INPUT, and the answer names the field. `rule`: refused by these codes at
 * these places.
 */
const bad: Record<string, { shape?: unknown[]; rule?: [value: unknown, ...refusals: string[]][] }> = {
  providerOrganizationId: {
    shape: noIds,
    rule: [
      [long(300), 'ORGANIZATION_NOT_FOUND'],
      ['', 'ORGANIZATION_NOT_FOUND'],
    ],
  },
  organizationId: { shape: noIds, rule: [['cus_x', 'ORGANIZATION_NOT_FOUND']] },
  productIds: {
    shape: [...noList, null],
    rule: [
      [[], 'INVALID_INPUT'],
      [['x', 'x'], 'PRODUCT_NOT_FOUND 0', 'PRODUCT_NOT_FOUND 1'],
    ],
  },
  description: {
    shape: [...noText, null, 5],
    rule: [
      ['', 'INVALID_INPUT'],
      [' \n ', 'INVALID_INPUT'],
      [long(2001), 'INVALID_INPUT'],
    ],
  },
  valid: { shape: noBoolean },
  owner: {
    shape: noIds,
    rule: [
      ['x', 'CUSTOMER_NOT_FOUND'],
      ['', 'CUSTOMER_NOT_FOUND'],
    ],
  },
  key: {
    shape: [...noText, 5],
    rule: [
      ['abc', 'INVALID_INPUT'],
      [long(600), 'INVALID_INPUT'],
      ['7C9E6679-7425-40DE-944B-E07FC1F90AEG', 'INVALID_INPUT'],
    ],
  },
  slaDefinitionIds: { shape: [...noList, null], rule: [[['x'], 'SLA_DEFINITION_NOT_FOUND 0']] },
  pricingRuleIds: { shape: [...noList, null], rule: [[['x'], 'PRICING_RULE_NOT_FOUND 0']] },
  expiration: {
    shape: noInstant,
    rule: [
      [NOW, 'INVALID_EXPIRY'],
      [later(-1), 'INVALID_EXPIRY'],
      [0, 'INVALID_EXPIRY'],
      [-1, 'INVALID_EXPIRY'],
    ],
  },
  clientEmailAddress: {
    shape: [...noText, null, 5],
    rule: [
      '',
      ' ',
      'nobody',
      'a@b.c, d@e.f',
      'A <a@example.com>',
      `${long(65)}@example.com`,
      `a@${long(64)}.com`,
      'a\n@example.com',
    ].map((text) => [text, 'INVALID_INPUT']),
  },
  externalQuoteId: {
    shape: noText,
    rule: [
      [long(256), 'INVALID_INPUT'],
      ['a\nb', 'INVALID_INPUT'],
    ],
  },
  quota: {
    shape: noCount,
    rule: [
      [-1, 'INVALID_INPUT'],
      ['-9223372036854775808', 'INVALID_INPUT'],
    ],
  },
  consumedQuota: { shape: [...noCount, null], rule: [[-1, 'INVALID_INPUT']] },
  quotaNotificationThreshold: {
    shape: [...wrongType, true, 'half', '1e2', 1e-7],
    rule: [-1, -0.5, 100.001, '100.0001', 101, 50.0005, '0.0001', '1000'].map((percent) => [percent, 'INVALID_INPUT']),
  },
  applications: {
    shape: [...noList, null],
    rule: [[['x', 'x'], 'APPLICATION_NOT_FOUND 0', 'APPLICATION_NOT_FOUND 1']],
  },
  notifyCreatorOnCreation: { shape: noBoolean },
  notificationAddressesOnCreation: { shape: [...noList, null], rule: [[['a@example.com', ''], 'INVALID_INPUT 1']] },
  notifyOwnerOnQuotaThreshold: { shape: noBoolean },
  notificationAddressesOnQuotaThreshold: {
    shape: [...noList, null],
    rule: [[['a@example.com', 'x y'], 'INVALID_INPUT 1']],
  },
  applicationExternalId: {
    shape: noText,
    rule: [
      [long(256), 'INVALID_INPUT'],
      ['a\tb', 'INVALID_INPUT'],
    ],
  },
  disableOnPaymentFailed: { shape: noBoolean },
  companyName: { shape: noText, rule: [[long(256), 'INVALID_INPUT']] },
  namedConsumers: {
    shape: [...noList, null],
    rule: [[['a@example.com', 'b', 'c'], 'INVALID_INPUT 1', 'INVALID_INPUT 2']],
  },
  namedOrganizations: { shape: [...noList, null], rule: [[['x'], 'ORGANIZATION_NOT_FOUND 0']] },
  dataProviderConfigurationId: { shape: noText, rule: [[long(256), 'INVALID_INPUT']] },
  allowMidPeriodCancellation: { shape: noBoolean },
  notifyOnTrialExpiry: { shape: noBoolean },
  clientFirstName: {
    shape: [...noText, null],
    rule: [
      [long(256), 'INVALID_INPUT'],
      ['a\nb', 'INVALID_INPUT'],
    ],
  },
  tags: {
    shape: [...noList, null],
    rule: [
      [[long(65)], 'INVALID_INPUT 0'],
      [many(51), 'INVALID_INPUT'],
    ],
  },
  clientLastName: { shape: [...noText, null], rule: [[long(256), 'INVALID_INPUT']] },
  start: { shape: [...noInstant, null], rule: [['9999-12-31', 'INVALID_INPUT']] },
};

test('every field refuses what it does not take, and the refusal names it; nothing is made', async () => {
  expect(Object.keys(bad).sort()).toEqual([...source].sort());
  const sound = await productKeyInput(api, stage.live, { productIds: [stage.product] });
  const query = `mutation ($input: CreateProductKeyInput!) { createProductKey(input: $input) { productKey { id } userErrors { code path } } }`;
  const count = async () => (await api.db.sql(null, 'SELECT 1 AS one FROM changes', [])).length;
  const before = await count();
  const wrong: unknown[] = [];
  for (const [field, { shape = [], rule = [] }] of Object.entries(bad)) {
    for (const value of shape) {
      const answer = await api.call({ token: stage.live, query, variables: { input: { ...sound, [field]: value } } });
      const [error] = answer.errors ?? [];
      const named = `${error?.message} ${String(error?.extensions.argument)}`.includes(`input.${field}`);
      if (error?.extensions.code !== 'BAD_USER_INPUT' || !named) wrong.push([field, value, answer.data, error]);
    }
    for (const [value, ...refusals] of rule) {
      const answer = await api.call({ token: stage.live, query, variables: { input: { ...sound, [field]: value } } });
      const told = answer.data?.createProductKey.userErrors.map(
        ({ code, path }: any) => `${code} ${path.slice(1).join('.')}`,
      );
      const expected = refusals.map((refusal) => {
        const [code, ...place] = refusal.split(' ');
        return `${code} ${[field, ...place].join('.')}`;
      });
      if (JSON.stringify(told) !== JSON.stringify(expected)) wrong.push([field, value, told ?? answer.errors]);
    }
  }
  expect(wrong).toEqual([]);
  expect(await count()).toBe(before);
  const lists = source.filter((field) => bad[field]!.shape?.includes(noList[0]) && field !== 'productIds');
  const empty = await api.call({
    token: stage.live,
    query,
    variables: { input: { ...sound, ...Object.fromEntries(lists.map((field) => [field, []])) } },
  });
  expect([lists.length, empty.data?.createProductKey.userErrors]).toEqual([8, []]);
});
