import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { isEnumType, isInputObjectType } from 'graphql';
import { Client } from 'pg';
import type { LicenseOrderField, LicenseWhere, OrderDirection } from '../../src/generated/graphql.js';
import type { Database } from '../../src/kernel/database.js';
import { globalId } from '../../src/kernel/id.js';
import { listPage, type PageArgs } from '../../src/kernel/page.js';
import type { RequestContext } from '../../src/kernel/requestContext.js';
import { licenseList } from '../../src/licenses/listLicenses.js';
import { readContract } from '../../src/schema.js';
import { cloneDatabase, type TestDatabase } from '../support/database.js';
import { loadManyLicenses, type ManyLicenses } from './manyLicenses.js';

// A million rows in `npm run test:deep`; enough for the planner to decide alike in `npm test`.
const deep = Boolean(process.env.DEEP);
const rows = deep ? 1_000_000 : 50_000;

let clone: TestDatabase;
let client: Client;
let many: ManyLicenses;

beforeAll(async () => {
  clone = await cloneDatabase();
  many = await loadManyLicenses(clone.url, rows);
  client = new Client({ connectionString: clone.url });
  await client.connect();
}, 900_000);
afterAll(async () => {
  await client.end();
  await clone.drop();
});

const schema = readContract();
const orderType = schema.getType('LicenseOrderField');
const orders = (isEnumType(orderType) ? orderType.getValues() : []).map(({ name }) => name as LicenseOrderField);
const whereType = schema.getType('LicenseWhere');
const whereFields = Object.keys(isInputObjectType(whereType) ? whereType.getFields() : {}) as (keyof LicenseWhere)[];

const days = (count: number) => new Date(many.now.getTime() + count * 86_400_000);

/** What each filter is asked, from common to rare. A filter of the contract that is missing here fails a test. */
const samples: Record<keyof LicenseWhere, Record<string, () => LicenseWhere>> = {
  id: { one: () => ({ id: { in: [globalId('License', many.licenseId)] } }) },
  number: { one: () => ({ number: { in: [many.number] } }) },
  customerId: {
    one: () => ({ customerId: { in: [globalId('Customer', many.customerId)] } }),
    reseller: () => ({ customerId: { in: [globalId('Customer', many.resellerId)] } }),
    two: () => ({ customerId: { in: [many.customerId, many.resellerId].map((id) => globalId('Customer', id)) } }),
  },
  status: {
    common: () => ({ status: { in: ['ACTIVE'] } }),
    some: () => ({ status: { in: ['PAUSED'] } }),
    rare: () => ({ status: { in: ['BLOCKED'] } }),
    pending: () => ({ status: { in: ['PENDING'] } }),
    two: () => ({ status: { in: ['BLOCKED', 'CANCELLED'] } }),
  },
  productOfferingId: {
    common: () => ({ productOfferingId: { in: [globalId('ProductOffering', many.productOfferingId)] } }),
    rare: () => ({ productOfferingId: { in: [globalId('ProductOffering', many.rareOfferingId)] } }),
  },
  packageId: { common: () => ({ packageId: { in: [globalId('Package', many.packageId)] } }) },
  orderId: { one: () => ({ orderId: { in: [globalId('Order', many.orderId)] } }) },
  type: {
    common: () => ({ type: { in: ['standard'] } }),
    rare: () => ({ type: { in: ['rare'] } }),
    none: () => ({ type: { in: ['unknown'] } }),
  },
  assignedToId: { one: () => ({ assignedToId: { in: ['thing-500'] } }) },
  tag: {
    common: () => ({ tag: { in: ['retail'] } }),
    some: () => ({ tag: { in: ['vip'] } }),
    none: () => ({ tag: { in: ['unknown'] } }),
  },
  validFrom: {
    day: () => ({ validFrom: { gte: days(-30), lt: days(-29) } }),
    year: () => ({ validFrom: { gte: days(-365) } }),
  },
  validUntil: {
    soon: () => ({ validUntil: { gte: days(0), lt: days(3) } }),
    past: () => ({ validUntil: { lt: days(0) } }),
  },
  createdAt: {
    day: () => ({ createdAt: { gte: days(-30), lt: days(-29) } }),
    year: () => ({ createdAt: { gte: days(-365) } }),
  },
  metadata: {
    common: () => ({ metadata: { key: 'tier', eq: 'gold' } }),
    some: () => ({ metadata: { key: 'region', eq: 'r44' } }),
    one: () => ({ metadata: { key: 'ticket', eq: '4000' } }),
  },
};

interface Plan {
  'Node Type': string;
  'Relation Name'?: string;
  'Actual Rows': number;
  'Actual Loops': number;
  'Shared Hit Blocks': number;
  'Shared Read Blocks': number;
  'Temp Written Blocks': number;
  Plans?: Plan[];
}

interface Reading {
  buffers: number;
  scans: string[];
  /** The most rows that any node sorted. */
  sorted: number;
}

/** The statement that `listPage` makes of arguments, and the cursor at the end of what it gives. */
async function statementOf(args: Parameters<typeof licenseList>[1] & PageArgs) {
  let statement = { text: '', values: [] as unknown[] };
  const db = {
    sql: async (_: unknown, text: string, values: unknown[]) => {
      statement = { text, values };
      return (await client.query(text, values)).rows;
    },
  } as unknown as Database;
  const viewer = { principal: 'API_KEY', businessId: many.businessId, mode: 'LIVE', brandId: null };
  const ctx = { viewer, now: many.now } as unknown as RequestContext;
  const page = await listPage(db, licenseList(ctx, args), args);
  return { ...statement, endCursor: page.pageInfo.endCursor };
}

/** How PostgreSQL carries a statement out: what it reads, and how much it sorts. */
async function explain({ text, values }: { text: string; values: unknown[] }): Promise<Reading> {
  const { rows: answers } = await client.query<{ 'QUERY PLAN': { Plan: Plan }[] }>(
    `EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) ${text}`,
    values,
  );
  const [{ Plan: root }] = answers[0]!['QUERY PLAN'] as [{ Plan: Plan }];
  const nodes: Plan[] = [];
  const collect = (plan: Plan) => {
    nodes.push(plan);
    plan.Plans?.forEach(collect);
  };
  collect(root);
  const sorts = nodes.filter((plan) => plan['Node Type'] === 'Sort');
  return {
    buffers: root['Shared Hit Blocks'] + root['Shared Read Blocks'],
    scans: nodes.map((plan) => plan['Node Type']).filter((name) => name.includes('Scan')),
    sorted: Math.max(0, ...sorts.map((plan) => plan.Plans?.[0]?.['Actual Rows'] ?? 0)),
  };
}

/** A cursor far down the list: at row 200,000, or at nine tenths of a shorter one; null where there are few rows. */
async function deepCursor(
  { text, values }: { text: string; values: unknown[] },
  endCursor: string | null,
): Promise<string | null> {
  const whole = text.replaceAll(/LIMIT \d+/g, '');
  const keys = `SELECT page."__key" AS key, page.id FROM (${whole}) page`;
  const { rows: counted } = await client.query<{ count: string }>(`SELECT count(*) FROM (${whole}) page`, values);
  const place = Math.min(200_000, Math.floor(Number(counted[0]?.count) * 0.9));
  if (place < 100 || endCursor === null) return null;
  const { rows: found } = await client.query<{ key: string; id: string }>(`${keys} OFFSET ${place} LIMIT 1`, values);
  const [mark] = JSON.parse(Buffer.from(endCursor, 'base64url').toString('utf8')) as [string];
  return Buffer.from(JSON.stringify([mark, found[0]?.key, found[0]?.id])).toString('base64url');
}

const cases = [
  ...orders.flatMap((field) =>
    (['ASC', 'DESC'] as const).map((direction) => ({ field, direction, name: 'all', where: undefined })),
  ),
  ...orders.flatMap((field) =>
    (['ASC', 'DESC'] as const).flatMap((direction) =>
      Object.entries(samples).flatMap(([filter, values]) =>
        Object.entries(values).map(([sample, where]) => ({ field, direction, name: `${filter} ${sample}`, where })),
      ),
    ),
  ),
] as { field: LicenseOrderField; direction: OrderDirection; name: string; where: (() => LicenseWhere) | undefined }[];

test('every order and every filter of the contract is asked', () => {
  expect(orders.length).toBeGreaterThanOrEqual(3);
  expect(Object.keys(samples).sort()).toEqual([...whereFields].sort());
});

/**
 * What a page may cost at most, wherever it lies: pages of 8 KB, all of which are usually in memory, and rows that are sorted. A
 * filter without an index in the list's order is answered by what the planner thinks shorter: the rows that meet it, or the way
 * along the order. At its worst here that is a twentieth of a page for each license there is.
 */
const most = deep ? { buffers: 50_000, sorted: 6_000 } : { buffers: 6_000, sorted: 1_000 };

/** What has an index of its own in this order: here page 10,000 costs what page 1 costs. */
const ordered: Record<LicenseOrderField, (keyof LicenseWhere)[]> = {
  CREATED_AT: ['customerId', 'productOfferingId', 'packageId', 'type', 'status'],
  VALID_FROM: [],
  VALID_UNTIL: [],
};
/** Samples of those that name several values, or that the planner answers in another way. */
const several = ['customerId two', 'status two'];

/**
 * A window on one date in the order of another is read along one of them, and both go up with time; so does, from the other end,
 * what has not started. No index bounds these: at worst they go once through an index of the business.
 */
const dates: Record<string, LicenseOrderField> = {
  createdAt: 'CREATED_AT',
  validFrom: 'VALID_FROM',
  validUntil: 'VALID_UNTIL',
};
const isCrosswise = (name: string, field: LicenseOrderField) => {
  const filter = name.split(' ')[0] as string;
  return (filter in dates && dates[filter] !== field) || (name === 'status pending' && field === 'VALID_UNTIL');
};

test('no list reads or sorts much, whatever it is asked and however deep its page lies', async () => {
  const tooMuch: unknown[] = [];
  let far = 0;
  for (const { field, direction, name, where } of cases) {
    const args = { orderBy: { field, direction }, where: where?.() };
    const first = await statementOf(args);
    const after = await deepCursor(first, first.endCursor);
    const [start, end] = [await explain(first), after ? await explain(await statementOf({ ...args, after })) : null];
    if (end) far++;
    const filter = name.split(' ')[0] as keyof LicenseWhere;
    const allowed = isCrosswise(name, field) ? { buffers: rows, sorted: rows } : most;
    const found = { field, direction, name, start, end };
    const readings = end ? [start, end] : [start];
    for (const { buffers, sorted, scans } of readings) {
      if (buffers > allowed.buffers || sorted > allowed.sorted || scans.includes('Seq Scan')) tooMuch.push(found);
    }
    const isOrdered = !where || (ordered[field].includes(filter) && !several.includes(name));
    if (isOrdered && end && end.buffers > 2 * start.buffers + 100) tooMuch.push({ ...found, deeper: true });
  }
  expect(tooMuch).toEqual([]);
  expect(cases.length).toBeGreaterThan(150);
  expect(far).toBeGreaterThan(80);
}, 1_800_000);
