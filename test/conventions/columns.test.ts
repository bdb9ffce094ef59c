import { beforeAll, expect, test } from '@jest/globals';
import {
  execute,
  getNamedType,
  getOperationAST,
  isLeafType,
  isObjectType,
  parse,
  type GraphQLField,
  type GraphQLObjectType,
} from 'graphql';
import { allScopes } from '../../src/accounts/scopes.js';
import { readConfig } from '../../src/config.js';
import { contextOf } from '../../src/context.js';
import { columnsOfOperation } from '../../src/graphql/columnsOfOperation.js';
import { narrowModels, wholeRows } from '../../src/kernel/columns.js';
import { uuidOf, type IdType } from '../../src/kernel/id.js';
import type { Viewer } from '../../src/kernel/viewer.js';
import { columnName, fieldsOf, tables } from '../../src/kernel/rows.js';
import { keyringOf } from '../../src/keyring.js';
import { createSchema } from '../../src/schema.js';
import { testEnvironment, useApi } from '../support/api.js';
import { newBusiness, newCustomer, newOrganization } from '../support/business.js';
import { attachEntitlement, newProduct, newProductOffering } from '../support/catalog.js';
import { newLicense } from '../support/licenses.js';
import { newWorld } from '../support/world.js';

// A query reads no columns but those that its fields declare. Here each field is asked for alone, at several instants, over rows in
// which every column holds something, and must say what it says when whole rows are read.

const api = useApi();
const config = readConfig(testEnvironment);
const schema = createSchema(config.limits);
const day = (text: string) => new Date(`${text}T00:00:00Z`);
const [march, april, may] = [day('2026-03-01'), day('2026-04-01'), day('2026-05-01')];
/** Between them licenses start, change and end by themselves, and nobody writes it down. */
const instants = [day('2026-03-02'), day('2026-04-02'), day('2026-05-02')];

let token: string;
let viewer: Viewer;
/** For each type, what asks for a field of rows of it: of one by id, or in a list. */
let documents: Record<string, (field: string) => string>;

beforeAll(async () => {
  api.setNow(march);
  const business = await newBusiness(api);
  token = business.live;
  const [key] = await api.db.sql<{ id: string }>(null, "SELECT id FROM api_keys WHERE mode = 'LIVE'", []);
  const scopes = new Set(allScopes);
  const businessId = uuidOf('Business', business.id);
  viewer = { principal: 'API_KEY', businessId, mode: 'LIVE', apiKeyId: key?.id as string, scopes, brandId: null };
  const world = await newWorld(api, token);
  const productId = await newProduct(api, token);
  const terms = { productId, description: 'All of it', group: 'plans', metadata: { tier: 1 } };
  const plan = await newProductOffering(api, token, terms);
  await attachEntitlement(api, token, { target: { productOfferingId: plan } });
  const better = await newProductOffering(api, token, {
    ...terms,
    licenseType: 'better',
    amount: '29.90',
    boundMonths: 12,
  });
  const replaced = await newProductOffering(api, token, { ...terms, name: 'Replaced' });
  await set('ProductOffering', replaced, { revision: 2, supersedesId: uuidOf('ProductOffering', plan) });
  const organizationId = await newOrganization(api, token);
  const customer = await newCustomer(api, token, {
    ...{ code: 'C-1', externalId: 'x-1', companyName: 'Muster', locale: 'de', countryCode3Letter: 'DEU' },
    ...{ email: 'all@example.com', isEmailVerified: true, metadata: { a: 1 }, organizationId },
  });
  const erased = await newCustomer(api, token);
  await set('Customer', erased, { erasedAt: march, firstName: null, lastName: null });
  const licenses: string[] = [];
  for (let i = 0; i < 6; i++)
    licenses.push(await newLicense(api, token, { productOfferingId: plan, customerId: customer }));
  const bound = await newLicense(api, token, { productOfferingId: better, customerId: customer });
  await set('License', bound, { offeringSince: april });
  await fill(licenses, { better, customer, orderId: world.orderId, subscriptionTypeId: world.subscriptionTypeId });
  const query = `query ($c: ID!, $p: ID!, $l: ID!) {
    customer(id: $c) { number } product(id: $p) { sku } license(id: $l) { licenseKeys { key } } }`;
  const variables = { c: customer, p: productId, l: world.licenseIds[0] };
  const found = await api.data({ token, query, variables });
  const list = (type: IdType, ids: string[]) => (field: string) =>
    `{ nodes(ids: ${JSON.stringify(ids)}) { ... on ${type} { ${field} } }
       ${type.charAt(0).toLowerCase()}${type.slice(1)}s(first: 50) { nodes { ${field} } } }`;
  documents = {
    License: list('License', [...licenses, bound, ...world.licenseIds]),
    Customer: list('Customer', [customer, erased, world.customerId]),
    ProductOffering: list('ProductOffering', [plan, better, replaced]),
    Grant: list('Grant', world.grantIds),
    ProductLicense: (field) =>
      `{ productLicenses(customerNumber: "${found.customer.number}", productSku: "${found.product.sku}") { nodes { ${field} } } }`,
    CurrentLicense: (field) => `{ currentLicense(key: "${found.license.licenseKeys[0].key}") { ${field} } }`,
  };
});

/** Leaves no column of licenses empty, and gives each license another thing that will happen to it. */
async function fill(
  [everything, renewal, changing, cancelled, blocked, ending]: string[],
  more: { better: string; customer: string; orderId: string; subscriptionTypeId: string },
): Promise<void> {
  const better = uuidOf('ProductOffering', more.better);
  const usedBy = { usedAt: march, usedById: uuidOf('Customer', more.customer) };
  const assigned = {
    assignedToType: 'SEAT',
    assignedToId: '7',
    assignedToDisplayName: 'Seat',
    assignedToDetails: '{"a":1}',
  };
  await set('License', everything, {
    ...{ validUntil: april, activatedAt: march, offeringSince: march, billingSince: march },
    ...{ amountMinor: 1000, discountMinor: 100, currency: 'USD', details: '{"b":2}', metadata: '{"c":3}' },
    ...{ description: 'Text', tags: ['x'], renewalId: uuidOf('License', renewal as string), ...usedBy, ...assigned },
    ...{ orderId: uuidOf('Order', more.orderId), version: 7, updatedAt: april },
    subscriptionTypeId: uuidOf('SubscriptionType', more.subscriptionTypeId),
  });
  await set('License', renewal, {
    status: 'PENDING',
    validFrom: april,
    pendingOfferingId: better,
    pendingOfferingAt: may,
  });
  const paused = { pendingStatus: 'PAUSED', pendingStatusAt: april };
  await set('License', changing, {
    activatedAt: march,
    ...paused,
    pendingOfferingId: better,
    pendingOfferingAt: april,
  });
  await set('License', cancelled, { status: 'CANCELLED', cancelledAt: march });
  const asBefore = { pendingStatus: 'PAUSED', pendingStatusAt: april };
  await set('License', blocked, { status: 'BLOCKED', statusBeforeBlock: 'PAUSED', pausedAt: march, ...asBefore });
  // Renewals that are cancelled, at once and by themselves, are none.
  await set('License', changing, { renewalId: uuidOf('License', cancelled as string) });
  await set('License', blocked, { renewalId: uuidOf('License', ending as string) });
  const expired = { validFrom: day('2026-02-01'), validUntil: day('2026-03-01'), expiredAt: day('2026-03-01') };
  await set('License', ending, { ...expired, pendingStatus: 'CANCELLED', pendingStatusAt: may });
}

async function set(
  type: 'License' | 'Customer' | 'ProductOffering',
  id: string | undefined,
  columns: object,
): Promise<void> {
  const names = Object.keys(columns).map((name, i) => `${columnName(name)} = $${i + 2}`);
  const values = [uuidOf(type, id as string), ...(Object.values(columns) as unknown[])];
  await api.db.sql(null, `UPDATE ${tables[type]} SET ${names.join(', ')} WHERE id = $1`, values);
}

/** A field with as little below it as can be: ids of objects, leaves of what has none. */
function selectionOf(field: GraphQLField<unknown, unknown>): string {
  const type = getNamedType(field.type);
  if (isLeafType(type)) return field.name;
  const its = type as GraphQLObjectType;
  const fields = Object.values(its.getFields());
  if (its.getInterfaces().some(({ name }) => name === 'Node')) return `${field.name} { id }`;
  if (fields.some(({ name }) => name === 'pageInfo')) return `${field.name} { totalCount nodes { id } }`;
  return `${field.name} { ${fields.map(selectionOf).join(' ')} }`;
}

/** The answer where whole rows are read: where nothing has set a context's columns. */
async function ofWholeRows(text: string, now: Date): Promise<unknown> {
  const request = {
    db: api.db,
    viewer,
    now,
    requestId: 'r',
    actor: null,
    keyring: keyringOf(config),
    mailFolder: null,
  };
  const context = contextOf({ ...request, guesses: null, idempotency: null }, null);
  const { errors, data } = await execute({ schema, document: parse(text), contextValue: context });
  if (errors) throw new Error(`${text}: ${errors.map(({ message }) => message).join()}`);
  return JSON.parse(JSON.stringify(data));
}

/** What an answer says of a field, of all rows. */
function valuesOf(answer: unknown, name: string): unknown[] {
  if (typeof answer !== 'object' || answer === null) return [];
  return Object.entries(answer).flatMap(([key, value]) => (key === name ? [value] : valuesOf(value, name)));
}

test('there is something in every column', async () => {
  for (const model of narrowModels) {
    const filled = fieldsOf(model).map((field) => `bool_or(${columnName(field)} IS NOT NULL) AS "${field}"`);
    const [row] = await api.db.sql(null, `SELECT ${filled.join(', ')} FROM ${tables[model]}`, []);
    expect([model, row]).toEqual([model, Object.fromEntries(fieldsOf(model).map((field) => [field, true]))]);
  }
});

const types = ['License', 'Customer', 'ProductOffering', 'Grant', 'ProductLicense', 'CurrentLicense'];

test.each(types)('each field of a %s alone says what it says of whole rows', async (name) => {
  const type = schema.getType(name);
  if (!isObjectType(type)) throw new Error(`${name} is gone`);
  const documentOf = documents[name] as (field: string) => string;
  for (const field of Object.values(type.getFields())) {
    const text = documentOf(selectionOf(field));
    const values: unknown[] = [];
    for (const now of instants) {
      api.setNow(now);
      const answer: unknown = await api.data({ token, query: text });
      expect([text, now, answer]).toEqual([text, now, await ofWholeRows(text, now)]);
      values.push(...valuesOf(answer, field.name));
    }
    // It says something, or else nothing was compared.
    const saysNothing = values.every((value) => value === null || JSON.stringify(value) === '[]');
    expect([field.name, name !== 'Grant' && saysNothing]).toEqual([field.name, false]);
  }
});

test('each field alone reads a part of the columns', () => {
  const columns = (text: string) => {
    const document = parse(text);
    return columnsOfOperation(schema, document, getOperationAST(document) as never);
  };
  for (const name of types.slice(0, 3)) {
    const type = schema.getType(name) as GraphQLObjectType;
    for (const field of Object.values(type.getFields())) {
      const model = name as keyof typeof wholeRows;
      const read = columns((documents[name] as (field: string) => string)(selectionOf(field)))[model];
      expect([field.name, read.columns.length < wholeRows[model].columns.length * 0.6]).toEqual([field.name, true]);
    }
  }
});
