// Mercurius with JIT over prepared statements, with what Latchkey does for each request: token, tenant, rate limit, cost, log.
import { fastify } from 'fastify';
import mercurius from 'mercurius';
import pg from 'pg';
import {
  costOf,
  cursorOf,
  customerName,
  idOf,
  isActive,
  isAllowed,
  lookupValue,
  MAX_COST,
  money,
  normalizedKey,
  rememberedTokens,
  statusOf,
  tokenHash,
  typeDefs,
  uuidOf,
} from './common.mjs';

const reads = JSON.parse(process.env.READS);
const pool = new pg.Pool({ connectionString: process.env.DATABASE_URL, max: 10 });
const rowsOf = async (name, text, values) => (await pool.query({ name, text, values })).rows;

const callerOf = rememberedTokens(async (token) => {
  const [row] = await rowsOf('token', 'SELECT * FROM api_keys WHERE token_hash = $1', [tokenHash(token)]);
  if (!row || row.revoked_at || (row.expires_at && row.expires_at <= new Date())) return null;
  return { businessId: row.business_id, mode: row.mode, keyId: row.id, scopes: new Set(row.scopes) };
});

async function brandOf(url) {
  return (await rowsOf('brand', 'SELECT id, business_id FROM brands WHERE url = $1', [url]))[0];
}

function tenantOf({ caller }) {
  if (!caller?.scopes.has('LICENSES_READ')) throw new mercurius.ErrorWithProps('not allowed', {}, 403);
  return [caller.businessId, caller.mode];
}

const iso = (date) => date?.toISOString() ?? null;

const resolvers = {
  Query: {
    license: async (_, { id }, context) =>
      (await rowsOf('licenses', reads.licenses, [...tenantOf(context), [uuidOf(id)]]))[0] ?? null,
    licenses: async (_, { first = 20, after, where }, context) => {
      const { createdAt } = after ? cursorOf(after) : { createdAt: new Date(where?.createdAt?.lt ?? '9999-01-01') };
      const rows = await rowsOf('page', reads.page, [...tenantOf(context), createdAt]);
      return { nodes: rows.slice(0, first), pageInfo: { hasNextPage: rows.length > first } };
    },
    validateLicenseKey: (_, { input }, { brand, now }) => validation(brand, input.key, now),
  },
  License: {
    id: ({ id }) => idOf('lic', id),
    status: (license, _, { now }) => statusOf(license, now),
    isActive: (license, _, { now }) => isActive(license, now),
    validFrom: ({ validFrom }) => iso(validFrom),
    validUntil: ({ validUntil }) => iso(validUntil),
  },
  Customer: { id: ({ id }) => idOf('cus', id), name: customerName },
  ProductOffering: {
    id: ({ id }) => idOf('offer', id),
    price: ({ priceMinor, currency }) => money(priceMinor, currency),
  },
};

async function byId(name, text, scope, ids) {
  const rows = await rowsOf(name, text, [...scope, [...new Set(ids.filter((id) => id !== null))]]);
  const found = new Map(rows.map((row) => [row.id, row]));
  return ids.map((id) => found.get(id) ?? null);
}

const loaders = {
  License: {
    customer: (queries, context) =>
      byId(
        'customers',
        reads.customers,
        tenantOf(context),
        queries.map(({ obj }) => obj.customerId),
      ),
    productOffering: (queries, context) =>
      byId(
        'offerings',
        reads.offerings,
        tenantOf(context).slice(0, 1),
        queries.map(({ obj }) => obj.productOfferingId),
      ),
  },
};

async function validation({ business_id: businessId, id: brandId }, key, now) {
  const hashes = ['LIVE', 'TEST'].map((mode) => lookupValue(businessId, mode, normalizedKey(key)));
  const values = [businessId, now, 'LIVE', null, null, null, now, ['LIVE', 'TEST'], hashes];
  const [found] = await rowsOf('facts', reads.facts, values);
  if (!found.isHit || found.brandId !== brandId) {
    return { valid: false, checks: [{ code: 'KEY_NOT_FOUND', severity: 'ERROR' }] };
  }
  const { license: stored, products } = found.licenses[0];
  const validUntil = stored.validUntil && new Date(stored.validUntil);
  const license = { ...stored, validFrom: new Date(stored.validFrom), validUntil };
  const active = isActive(license, now);
  return {
    valid: active && found.key.status === 'ACTIVE',
    checks: [],
    license: {
      status: license.status,
      validFrom: iso(license.validFrom),
      validUntil: iso(validUntil),
      isActive: active,
    },
    product: products[0],
    activationsUsed: found.activationsUsed,
    activationsLimit: found.key.activationsLimit,
    expiresAt: iso(validUntil),
  };
}

const app = fastify({ logger: true, disableRequestLogging: true });
app.get('/ready', async () => 'ok');
app.addHook('onRequest', async (request, reply) => {
  if (request.url === '/ready') return;
  const url = request.headers['brand-url'];
  request.caller = url ? null : await callerOf(request.headers.authorization);
  request.brand = url ? await brandOf(url) : null;
  if (!request.caller && !request.brand) return reply.code(401).send({ errors: [{ message: 'no such token' }] });
  if (!isAllowed(request.caller?.keyId ?? request.ip))
    return reply.code(429).send({ errors: [{ message: 'too many' }] });
});
app.addHook('onResponse', async (request, reply) => {
  request.log.info({ method: request.method, path: request.url, status: reply.statusCode, ms: reply.elapsedTime });
});
app.register(mercurius, {
  schema: typeDefs,
  resolvers,
  loaders,
  jit: 1,
  queryDepth: 12,
  context: ({ caller, brand }) => ({ caller, brand, now: new Date() }),
});
await app.ready();
app.graphql.addHook('preExecution', async (_schema, document, _context, variables) => {
  if (costOf(document, variables) > MAX_COST) throw new mercurius.ErrorWithProps('too expensive', {}, 400);
});
await app.listen({ port: Number(process.env.PORT), host: '127.0.0.1' });
process.on('SIGTERM', () => process.exit(0));
