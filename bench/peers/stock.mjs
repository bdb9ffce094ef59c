// The stock stack as a competent team writes it: Apollo Server's standalone server, Prisma, a DataLoader for each edge. The Prisma
// client is the one that Latchkey generates, over the same tables.
import { createCipheriv, createHash, randomBytes, randomInt } from 'node:crypto';
import { ApolloServer } from '@apollo/server';
import { startStandaloneServer } from '@apollo/server/standalone';
import { PrismaPg } from '@prisma/adapter-pg';
import DataLoader from 'dataloader';
import { GraphQLError } from 'graphql';
import { v7 } from 'uuid';
import { PrismaClient } from '../../dist/src/generated/prisma/client.js';
import {
  cursorOf,
  customerName,
  idOf,
  isActive,
  isAllowed,
  lookupValue,
  money,
  normalizedKey,
  rememberedTokens,
  statusOf,
  tokenHash,
  typeDefs,
  uuidOf,
} from './common.mjs';

const prisma = new PrismaClient({ adapter: new PrismaPg({ connectionString: process.env.DATABASE_URL, max: 10 }) });
const cipherKey = randomBytes(32);

const callerOf = rememberedTokens(async (token) => {
  const key = await prisma.apiKey.findUnique({ where: { tokenHash: new Uint8Array(tokenHash(token)) } });
  if (!key || key.revokedAt || (key.expiresAt && key.expiresAt <= new Date())) return null;
  return { tenant: { businessId: key.businessId, mode: key.mode }, keyId: key.id, scopes: new Set(key.scopes) };
});

function loaderOf(find) {
  return new DataLoader(async (ids) => {
    const rows = new Map((await find([...ids])).map((row) => [row.id, row]));
    return ids.map((id) => rows.get(id) ?? null);
  });
}

function tenantOf({ caller }, scope) {
  if (!caller) throw new GraphQLError('no such token', { extensions: { http: { status: 401 } } });
  if (!caller.scopes.has(scope)) throw new GraphQLError(`the key lacks ${scope}`);
  return caller.tenant;
}

const iso = (date) => date?.toISOString() ?? null;

const resolvers = {
  Query: {
    license: (_, { id }, context) =>
      prisma.license.findFirst({ where: { ...tenantOf(context, 'LICENSES_READ'), id: uuidOf(id) } }),
    licenses: async (_, { first = 20, after, where }, context) => {
      const bounds = after
        ? [{ createdAt: { lte: cursorOf(after).createdAt } }, beyond(cursorOf(after))]
        : [{ createdAt: { lt: where?.createdAt?.lt } }];
      const rows = await prisma.license.findMany({
        where: { ...tenantOf(context, 'LICENSES_READ'), AND: bounds },
        orderBy: [{ createdAt: 'desc' }, { id: 'desc' }],
        take: first + 1,
      });
      return { nodes: rows.slice(0, first), pageInfo: { hasNextPage: rows.length > first } };
    },
    validateLicenseKey: (_, { input }, { brand, now }) => validation(brand, input.key, now),
  },
  Mutation: { purchaseLicensesByWallet: (_, { input }, context) => purchase(context, input) },
  License: {
    id: ({ id }) => idOf('lic', id),
    status: (license, _, { now }) => statusOf(license, now),
    isActive: (license, _, { now }) => isActive(license, now),
    validFrom: ({ validFrom }) => iso(validFrom),
    validUntil: ({ validUntil }) => iso(validUntil),
    customer: ({ customerId }, _, { loaders }) => loaders.customer.load(customerId),
    productOffering: ({ productOfferingId }, _, { loaders }) =>
      productOfferingId ? loaders.offering.load(productOfferingId) : null,
  },
  Customer: { id: ({ id }) => idOf('cus', id), name: customerName },
  ProductOffering: {
    id: ({ id }) => idOf('offer', id),
    price: ({ priceMinor, currency }) => money(priceMinor, currency),
  },
};

function beyond({ createdAt, id }) {
  return { OR: [{ createdAt: { lt: createdAt } }, { createdAt, id: { lt: id } }] };
}

async function validation({ businessId, id: brandId }, key, now) {
  const hashes = ['LIVE', 'TEST'].map((mode) => new Uint8Array(lookupValue(businessId, mode, normalizedKey(key))));
  const lookup = await prisma.licenseKeyLookup.findFirst({ where: { businessId, keyHmac: { in: hashes } } });
  const tenant = lookup && { businessId, mode: lookup.mode };
  const found =
    lookup?.licenseKeyId && (await prisma.licenseKey.findFirst({ where: { ...tenant, id: lookup.licenseKeyId } }));
  const customer = found && (await prisma.customer.findFirst({ where: { ...tenant, id: found.customerId } }));
  if (!found || customer.brandId !== brandId) {
    return { valid: false, checks: [{ code: 'KEY_NOT_FOUND', severity: 'ERROR' }] };
  }
  const [activationsUsed, bindings, grants] = await Promise.all([
    prisma.activation.count({ where: { ...tenant, licenseKeyId: found.id, endedAt: null } }),
    prisma.licenseKeyBinding.findMany({ where: { ...tenant, licenseKeyId: found.id } }),
    prisma.grant.findMany({ where: { ...tenant, licenseKeyId: found.id } }),
  ]);
  const license = await prisma.license.findFirst({ where: { ...tenant, id: bindings[0].licenseId } });
  const active = isActive(license, now) && grants.every(({ status }) => status !== 'REVOKED');
  return {
    valid: active && found.status === 'ACTIVE',
    checks: [],
    license: {
      status: statusOf(license, now),
      validFrom: iso(license.validFrom),
      validUntil: iso(license.validUntil),
      isActive: active,
    },
    product: await productOf(license),
    activationsUsed,
    activationsLimit: found.activationsLimit,
    expiresAt: iso(license.validUntil),
  };
}

async function productOf({ businessId, productOfferingId, packageId }) {
  const offering =
    productOfferingId && (await prisma.productOffering.findFirst({ where: { businessId, id: productOfferingId } }));
  const bought = packageId && (await prisma.package.findFirst({ where: { businessId, id: packageId } }));
  return prisma.product.findFirst({ where: { businessId, id: offering?.productId ?? bought.primaryProductId } });
}

async function purchase(context, input) {
  const tenant = tenantOf(context, 'PURCHASES_WRITE');
  const ids = { wallet: uuidOf(input.walletId), order: v7(), license: v7(), key: v7(), transaction: v7() };
  const bought = await prisma.$transaction((tx) => buy(tx, tenant, context, input, ids));
  const { order, license, balance } = bought;
  return {
    success: true,
    statusCode: 200,
    message: 'Licenses bought: 1.',
    order: {
      id: idOf('ord', order.id),
      number: order.number,
      status: order.status,
      total: money(order.totalMinor, order.currency),
    },
    licenses: [license],
    wallet: { id: input.walletId, balance: money(balance, order.currency) },
    userErrors: [],
  };
}

async function buy(tx, tenant, { now, caller }, input, ids) {
  const { businessId } = tenant;
  const currency = input.currencyCode;
  const [packageId, subscriptionTypeId, customerId] = [input.packageId, input.subscriptionTypeId, input.customerId].map(
    uuidOf,
  );
  const [validFrom, validUntil] = [new Date(input.startDate), new Date(input.endDate)];
  const wallet = await tx.wallet.findFirst({ where: { ...tenant, id: ids.wallet } });
  const bought = await tx.package.findFirst({ where: { businessId, id: packageId, archivedAt: null } });
  const duration = await tx.subscriptionType.findFirst({ where: { businessId, id: subscriptionTypeId } });
  const price = await tx.packagePrice.findFirst({ where: { businessId, packageId, subscriptionTypeId, currency } });
  const customer = await tx.customer.findFirst({ where: { ...tenant, id: customerId } });
  if (!wallet || !bought || !duration || !price || customer?.brandId !== wallet.brandId || wallet.currency !== currency)
    refuse();
  if (money(price.amountMinor, currency).amount !== input.amount || wallet.balanceMinor < price.amountMinor) refuse();
  if (validUntil > new Date(validFrom.getTime() + duration.days * 86_400_000) || validUntil <= now) refuse();
  const product = await tx.product.findFirst({ where: { businessId, id: bought.primaryProductId } });
  const offerings = await tx.packageOffering.findMany({ where: { businessId, packageId } });
  const of = [
    { packageId },
    { productId: product.id },
    { productOfferingId: { in: offerings.map((o) => o.productOfferingId) } },
  ];
  if ((await tx.entitlementAttachment.count({ where: { businessId, OR: of } })) > 0) refuse();
  const totalMinor = price.amountMinor;
  const stamps = { createdAt: now, updatedAt: now };
  const order = {
    ...tenant,
    id: ids.order,
    number: numberOf('B'),
    brandId: wallet.brandId,
    customerId,
    walletId: wallet.id,
    status: 'COMPLETED',
    currency,
    totalMinor,
    ledgerTransactionId: ids.transaction,
    completedAt: now,
    ...stamps,
  };
  await tx.order.create({ data: order });
  await tx.orderLine.create({
    data: {
      ...tenant,
      id: v7(),
      orderId: ids.order,
      position: 1,
      packageId,
      subscriptionTypeId,
      quantity: 1,
      unitAmountMinor: totalMinor,
      totalMinor,
    },
  });
  const status = validFrom > now ? 'PENDING' : 'ACTIVE';
  const license = {
    ...tenant,
    id: ids.license,
    number: numberOf('L'),
    status,
    type: product.sku,
    customerId,
    packageId,
    subscriptionTypeId,
    orderId: ids.order,
    validFrom,
    validUntil,
    activatedAt: now,
    amountMinor: totalMinor,
    currency,
    tags: [],
    metadata: {},
    ...stamps,
  };
  await tx.license.create({ data: license });
  const text = randomBytes(15).toString('hex').toUpperCase();
  const key = {
    ...tenant,
    id: ids.key,
    customerId,
    last4: text.slice(-4),
    source: 'AUTO',
    status: 'ACTIVE',
    ...stamps,
  };
  await tx.licenseKey.create({ data: { ...key, keyCiphertext: sealed(text, ids.key) } });
  const keyHmac = new Uint8Array(lookupValue(tenant.businessId, tenant.mode, text));
  await tx.licenseKeyLookup.create({ data: { ...tenant, keyHmac, hmacKeyId: 'stock', licenseKeyId: ids.key } });
  await tx.licenseKeyBinding.create({
    data: { ...tenant, licenseKeyId: ids.key, licenseId: ids.license, createdAt: now },
  });
  const paid = await debit(tx, tenant, { now, currency, amount: totalMinor }, ids);
  const facts = [
    ['order.completed', 'Order', order],
    ['license.created', 'License', license],
    ['license_key.created', 'LicenseKey', key],
    ['wallet.debited', 'Wallet', paid],
  ];
  await tx.change.createMany({
    data: facts.map(([type, objectType, { ledgerHash: _, ...row }]) => ({
      ...tenant,
      id: v7(),
      type,
      objectType,
      objectId: row.id,
      sequence: row.version ?? 1,
      actorKind: 'API_KEY',
      actorId: caller.keyId,
      snapshot: jsonOf(row),
      requestId: 'stock',
      createdAt: now,
    })),
  });
  return { order, license, balance: paid.balanceMinor };
}

/** The wallet is locked only here, and what is read of it under the lock. */
async function debit(tx, tenant, { now, currency, amount }, ids) {
  await tx.$queryRaw`SELECT id FROM wallets WHERE business_id = ${tenant.businessId}::uuid AND mode = ${tenant.mode}::mode AND id = ${ids.wallet}::uuid FOR NO KEY UPDATE`;
  const wallet = await tx.wallet.findFirst({ where: { ...tenant, id: ids.wallet } });
  const sales = await tx.ledgerAccount.findFirst({ where: { ...tenant, kind: 'SALES', currency, walletId: null } });
  if (wallet.balanceMinor < amount) refuse();
  const [before, after] = [wallet.balanceMinor, wallet.balanceMinor - amount];
  const ledgerSequence = (wallet.ledgerSequence ?? 0n) + 1n;
  const hash = createHash('sha256')
    .update(wallet.ledgerHash)
    .update([ledgerSequence, before, after, sales.id].join('|'))
    .digest();
  const ledgerHash = new Uint8Array(hash);
  await tx.ledgerTransaction.create({
    data: { ...tenant, id: ids.transaction, kind: 'PURCHASE', orderId: ids.order, createdAt: now },
  });
  await tx.ledgerTransfer.create({
    data: {
      ...tenant,
      id: v7(),
      transactionId: ids.transaction,
      debitAccountId: wallet.id,
      creditAccountId: sales.id,
      currency,
      amountMinor: amount,
      walletId: wallet.id,
      walletSequence: ledgerSequence,
      isCredit: false,
      balanceBeforeMinor: before,
      balanceAfterMinor: after,
      hash: ledgerHash,
      createdAt: now,
    },
  });
  const changed = { balanceMinor: after, ledgerSequence, ledgerHash, version: wallet.version + 1, updatedAt: now };
  await tx.wallet.updateMany({ where: { ...tenant, id: wallet.id }, data: changed });
  return { ...wallet, ...changed };
}

function refuse() {
  throw new GraphQLError('refused');
}

const jsonOf = (row) =>
  JSON.parse(JSON.stringify(row, (_, value) => (typeof value === 'bigint' ? String(value) : value)));
const numberOf = (letter) => letter + randomInt(1e9, 1e10);

function sealed(text, id) {
  const nonce = randomBytes(12);
  const cipher = createCipheriv('aes-256-gcm', cipherKey, nonce).setAAD(Buffer.from(id));
  return new Uint8Array(Buffer.concat([nonce, cipher.update(text, 'utf8'), cipher.final(), cipher.getAuthTag()]));
}

async function contextOf({ req }) {
  const url = req.headers['brand-url'];
  const brand = url ? await prisma.brand.findFirst({ where: { url } }) : null;
  const caller = url ? null : await callerOf(req.headers.authorization);
  if (!isAllowed(caller?.keyId ?? req.socket.remoteAddress)) throw new GraphQLError('too many requests');
  const tenant = caller?.tenant;
  const loaders = tenant && {
    customer: loaderOf((ids) => prisma.customer.findMany({ where: { ...tenant, id: { in: ids } } })),
    offering: loaderOf((ids) =>
      prisma.productOffering.findMany({ where: { businessId: tenant.businessId, id: { in: ids } } }),
    ),
  };
  return { caller, brand, loaders, now: new Date() };
}

// Without its prevention of CSRF, so that a plain GET tells whether it is up.
const server = new ApolloServer({ typeDefs, resolvers, csrfPrevention: false });
await startStandaloneServer(server, {
  listen: { port: Number(process.env.PORT), host: '127.0.0.1' },
  context: contextOf,
});
process.on('SIGTERM', () => process.exit(0));
