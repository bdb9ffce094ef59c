/* The process of `servers/bare.ts`: node:http and prepared statements of node-postgres, by hand and without a layer. */
import { createCipheriv, createHash, createHmac, randomBytes, randomInt } from 'node:crypto';
import { createServer, type IncomingMessage } from 'node:http';
import pg from 'pg';
import { v7 } from 'uuid';

interface Caller {
  businessId: string;
  mode: string;
  keyId: string;
}

type Row = Record<string, any>;

const reads = JSON.parse(process.env.READS!) as Record<
  'licenses' | 'page' | 'customers' | 'offerings' | 'facts' | 'access' | 'count',
  string
>;
const poolOptions = { connectionString: process.env.DATABASE_URL!, max: 10 };
const readers = new pg.Pool(poolOptions);
const writers = new pg.Pool(poolOptions);
const [hmacKey, cipherKey] = [Buffer.from(process.env.HMAC_SECRET!, 'base64'), randomBytes(32)];

// Ids: a prefix and the UUID in 26 characters of base 32.

const ALPHABET = '0123456789abcdefghjkmnpqrstvwxyz';
const digits = new Map([...ALPHABET].map((character, value) => [character, value]));

function idOf(prefix: string, uuid: string): string {
  let text = '';
  let [bits, count] = [0, 2];
  for (let i = 0; i < 36; i++) {
    const digit = digits.get(uuid.charAt(i));
    if (digit === undefined) continue;
    bits = (bits << 4) | parseInt(uuid.charAt(i), 16);
    count += 4;
    while (count >= 5) {
      text += ALPHABET.charAt((bits >> (count - 5)) & 31);
      count -= 5;
    }
    bits &= 31;
  }
  return `${prefix}_${text}`;
}

function uuidOf(id: string): string {
  let hex = '';
  let [bits, count] = [0, -2];
  for (const character of id.slice(id.indexOf('_') + 1)) {
    bits = (bits << 5) | digits.get(character)!;
    count += 5;
    while (count >= 4) {
      hex += ((bits >> (count - 4)) & 15).toString(16);
      count -= 4;
    }
    bits &= 31;
  }
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`;
}

function money(minor: string, currencyCode: string) {
  const text = minor.padStart(3, '0');
  return { amount: `${text.slice(0, -2)}.${text.slice(-2)}`, currencyCode };
}

// Who calls, remembered for a second, and how often.

const known = new Map<string, { caller: Caller; until: number }>();

async function callerOf(request: IncomingMessage): Promise<Caller | null> {
  const token = request.headers.authorization?.slice('Bearer '.length) ?? '';
  const hit = known.get(token);
  if (hit && hit.until > performance.now()) return hit.caller;
  const { rows } = await readers.query<Row>({
    name: 'token',
    text: `SELECT 'API_KEY' AS kind, business_id, mode, id, expires_at, revoked_at FROM api_keys WHERE token_hash = $1
      UNION ALL SELECT 'CUSTOMER', business_id, mode, id, expires_at, revoked_at FROM customer_sessions WHERE token_hash = $1`,
    values: [createHash('sha256').update(token).digest()],
  });
  const row = rows[0];
  if (!row || row.revoked_at || (row.expires_at && row.expires_at <= new Date())) return null;
  const caller = { businessId: row.business_id, mode: row.mode, keyId: row.id };
  known.set(token, { caller, until: performance.now() + 1_000 });
  return caller;
}

const brands = new Map<string, { brand: Row; until: number }>();

async function brandOf(url: string): Promise<Row | null> {
  const hit = brands.get(url);
  if (hit && hit.until > performance.now()) return hit.brand;
  const { rows } = await readers.query<Row>({
    name: 'brand',
    text: 'SELECT id, business_id FROM brands WHERE url = $1',
    values: [url],
  });
  if (rows[0]) brands.set(url, { brand: rows[0], until: performance.now() + 1_000 });
  return rows[0] ?? null;
}

const [CAPACITY, REFILL_PER_SECOND] = [1e9, 84];
const buckets = new Map<string, { tokens: number; at: number }>();

function isAllowed(who: string): boolean {
  const now = performance.now();
  const bucket = buckets.get(who) ?? { tokens: CAPACITY, at: now };
  buckets.set(who, bucket);
  bucket.tokens = Math.min(CAPACITY, bucket.tokens + ((now - bucket.at) / 1_000) * REFILL_PER_SECOND);
  bucket.at = now;
  return bucket.tokens-- >= 1;
}

// Reading.

async function license(caller: Caller, { id }: Row) {
  const { rows } = await readers.query<Row>({
    name: 'licenses',
    text: reads.licenses,
    values: [caller.businessId, caller.mode, [uuidOf(id)]],
  });
  return { license: rows[0] ? (await licensesOf(caller, rows))[0] : null };
}

async function page(caller: Caller, { before }: Row) {
  const { rows } = await readers.query<Row>({
    name: 'page',
    text: reads.page,
    values: [caller.businessId, caller.mode, new Date(before)],
  });
  const nodes = await licensesOf(caller, rows.slice(0, 50));
  return { licenses: { nodes, pageInfo: { hasNextPage: rows.length > 50 } } };
}

async function licensesOf(caller: Caller, rows: Row[]) {
  const customerIds = [...new Set(rows.map((row) => row.customerId))];
  const offeringIds = [...new Set(rows.flatMap((row) => row.productOfferingId ?? []))];
  const [customers, offerings] = await Promise.all([
    byId('customers', reads.customers, [caller.businessId, caller.mode, customerIds]),
    byId('offerings', reads.offerings, [caller.businessId, offeringIds]),
  ]);
  const now = new Date();
  return rows.map((row) => licenseOf(row, customers.get(row.customerId)!, offerings.get(row.productOfferingId), now));
}

async function byId(name: string, text: string, values: unknown[]): Promise<Map<string, Row>> {
  const { rows } = await readers.query<Row>({ name, text, values });
  return new Map(rows.map((row) => [row.id, row]));
}

function licenseOf(row: Row, customer: Row, offering: Row | undefined, now: Date) {
  const started = row.status === 'PENDING' && row.validFrom <= now ? 'ACTIVE' : row.status;
  const status = row.pendingStatus && row.pendingStatusAt <= now ? row.pendingStatus : started;
  const person = [customer.firstName, customer.lastName].filter(Boolean).join(' ');
  return {
    id: idOf('lic', row.id),
    number: row.number,
    status,
    type: row.type,
    validFrom: row.validFrom.toISOString(),
    validUntil: row.validUntil?.toISOString() ?? null,
    isActive: status === 'ACTIVE' && now >= row.validFrom && !(row.validUntil <= now && row.validUntil !== null),
    customer: { id: idOf('cus', customer.id), name: customer.companyName ?? (person || customer.number) },
    productOffering: offering
      ? {
          id: idOf('offer', offering.id),
          name: offering.name,
          licenseType: offering.licenseType,
          price: money(offering.priceMinor, offering.currency),
        }
      : null,
  };
}

// Checking a key: its value in both modes, the same statement, what the rules say of it.

async function validation({ business_id: businessId, id: brandId }: Row, key: string) {
  const now = new Date();
  const text = key.normalize('NFKC').toUpperCase().replace(/[\s-]/g, '');
  const [live, inTest] = ['LIVE', 'TEST'].map((mode) => lookupValue(businessId, mode, text));
  const { rows } = await readers.query<Row>({
    name: 'facts',
    text: reads.facts,
    values: [businessId, now, 'LIVE', null, null, null, now, ['LIVE', 'TEST'], [live, inTest]],
  });
  const found = rows[0]!;
  if (!found.isHit || found.brandId !== brandId) {
    const checks = [{ code: 'KEY_NOT_FOUND', severity: 'ERROR' }];
    const nothing = { license: null, product: null, activationsUsed: null, activationsLimit: null, expiresAt: null };
    return { valid: false, checks, ...nothing };
  }
  const { license, products } = found.licenses[0] as Row;
  const [validFrom, validUntil] = [new Date(license.validFrom), license.validUntil && new Date(license.validUntil)];
  const isActive = license.status === 'ACTIVE' && now >= validFrom && !(validUntil && validUntil <= now);
  return {
    valid: isActive && found.key.status === 'ACTIVE',
    checks: [],
    license: {
      status: license.status,
      validFrom: validFrom.toISOString(),
      validUntil: validUntil?.toISOString() ?? null,
      isActive,
    },
    product: { sku: products[0].sku, name: products[0].name },
    activationsUsed: found.activationsUsed,
    activationsLimit: found.key.activationsLimit,
    expiresAt: validUntil?.toISOString() ?? null,
  };
}

function lookupValue(...parts: string[]): Buffer {
  const hmac = createHmac('sha256', hmacKey);
  for (const part of parts) {
    const bytes = Buffer.from(part, 'utf8');
    const length = Buffer.alloc(4);
    length.writeUInt32BE(bytes.length);
    hmac.update(length).update(bytes);
  }
  return hmac.digest();
}

// Product keys: whether one may be used, and its uses: one by the same statement, many in one transaction.

async function access({ businessId, mode }: Caller, { key, productSku, consumerEmail }: Row) {
  const now = new Date();
  const text = key.normalize('NFKC').toUpperCase().replace(/[\s-]/g, '');
  const values = ['LIVE', 'TEST'].map((one) => lookupValue(businessId, one, text));
  const { rows } = await readers.query<Row>({
    name: 'access',
    text: reads.access,
    values: [businessId, mode, ['LIVE', 'TEST'], values, productSku, consumerEmail ?? null, null],
  });
  const found = rows[0]!;
  if (!found.productKeyId || found.audience !== 'ANYONE' || found.periodEndsAt <= now)
    throw new Error('not of this world');
  const remaining = BigInt(found.quota) - BigInt(found.consumed);
  const codes = found.status === 'ACTIVE' && !(found.expiresAt && found.expiresAt <= now) ? [] : ['KEY_DISABLED'];
  if (!found.isForProduct) codes.push('PRODUCT_MISMATCH');
  if (remaining <= 0n) codes.push('QUOTA_EXHAUSTED');
  return {
    productKeyAccess: {
      allowed: codes.length === 0,
      reasons: codes.map((code) => ({ code })),
      status: found.status,
      remainingQuota: remaining.toString(),
      quotaPeriodEnd: found.periodEndsAt.toISOString(),
    },
  };
}

async function usage({ businessId, mode }: Caller, { input }: Row) {
  const text = input.key.normalize('NFKC').toUpperCase().replace(/[\s-]/g, '');
  const usageKey = createHash('sha256').update(input.idempotencyKey).digest();
  const { rows } = await writers.query<Row>({
    name: 'count',
    text: reads.count,
    values: [businessId, mode, [lookupValue(businessId, mode, text)], new Date(), input.amount, null, usageKey, null],
  });
  const found = rows[0]!;
  if (found.countedConsumed === null) throw new Error('refused');
  const [consumed, quota] = [BigInt(found.countedConsumed), BigInt(found.countedQuota)];
  const counted = {
    amount: input.amount,
    consumedQuota: consumed.toString(),
    remainingQuota: (quota - consumed).toString(),
    overage: '0',
    periodStart: found.countedFrom.toISOString(),
    periodEnd: found.countedTo.toISOString(),
  };
  return { recordUsage: { usage: counted, userErrors: [] } };
}

const metersText = `SELECT h.key_hmac, m.* FROM product_key_lookups h JOIN product_key_meters m
    ON m.business_id = h.business_id AND m.mode = h.mode AND m.id = h.product_key_id
  WHERE h.business_id = $1 AND h.mode = $2 AND h.key_hmac = ANY($3) ORDER BY m.id FOR NO KEY UPDATE OF m`;

const usesText = `WITH given AS (SELECT * FROM unnest($4::uuid[], $5::bytea[], $6::bigint[], $7::bigint[]) AS t (id, hash, amount, consumed)),
  m AS (UPDATE product_key_meters m SET consumed = g.consumed FROM (SELECT id, max(consumed) AS consumed FROM given GROUP BY id) g
    WHERE m.business_id = $1 AND m.mode = $2 AND m.id = g.id RETURNING m.*),
  u AS (INSERT INTO product_key_usages (business_id, mode, product_key_id, period_starts_at, key_hash, period_ends_at, amount,
      occurred_at, consumed, quota, created_at)
    SELECT $1, $2, m.id, m.period_starts_at, g.hash, m.period_ends_at, g.amount, $3, g.consumed, m.quota, $3 FROM given g JOIN m USING (id))
  INSERT INTO product_key_usage_hours AS h (business_id, mode, product_key_id, hour, amount, corrected, calls)
    SELECT $1, $2, id, date_trunc('hour', $3::timestamptz, 'UTC'), sum(amount), 0, count(*) FROM given GROUP BY id
    ON CONFLICT (business_id, mode, product_key_id, hour) DO UPDATE
      SET amount = h.amount + excluded.amount, calls = h.calls + excluded.calls`;

async function usages({ businessId, mode }: Caller, { input }: Row) {
  const client = await writers.connect();
  try {
    await client.query('BEGIN');
    const results = await countAll(client, businessId, mode, input.rows);
    await client.query('COMMIT');
    return { recordUsages: { results, userErrors: [] } };
  } catch (error) {
    await client.query('ROLLBACK');
    throw error;
  } finally {
    client.release();
  }
}

async function countAll(client: pg.PoolClient, businessId: string, mode: string, rows: Row[]) {
  const hmacs = rows.map(({ key }) => lookupValue(businessId, mode, key.toUpperCase().replace(/[\s-]/g, '')));
  const locked = await client.query<Row>({ name: 'meters', text: metersText, values: [businessId, mode, hmacs] });
  const meters = new Map(
    locked.rows.map((row) => [
      row.key_hmac.toString('hex'),
      { ...row, left: BigInt(row.quota) - BigInt(row.consumed) },
    ]),
  );
  const counted = rows.map(({ amount }, i) => {
    const meter = meters.get(hmacs[i]!.toString('hex')) as Row;
    meter.left -= BigInt(amount);
    if (meter.left < 0n) throw new Error('refused');
    return { id: meter.id, left: meter.left, consumed: BigInt(meter.quota) - meter.left };
  });
  const values = [
    counted.map(({ id }) => id),
    rows.map(({ idempotencyKey }) => createHash('sha256').update(idempotencyKey).digest()),
    rows.map(({ amount }) => amount),
    counted.map(({ consumed }) => consumed.toString()),
  ];
  await client.query({ name: 'uses', text: usesText, values: [businessId, mode, new Date(), ...values] });
  return counted.map(({ left, consumed }, index) => ({
    index,
    usage: { consumedQuota: consumed.toString(), remainingQuota: left.toString() },
    replayed: false,
    userErrors: [],
  }));
}

// Buying: what is named, the rows, the debit, all in one transaction.

const partsText = `
  SELECT w.brand_id AS "brandId", w.balance_minor AS balance, s.days, p.amount_minor AS price, product.sku, EXISTS (
      SELECT FROM entitlement_attachments a WHERE a.business_id = $1 AND a.product_id = k.primary_product_id
      UNION ALL SELECT FROM entitlement_attachments a WHERE a.business_id = $1 AND a.package_id = $4
      UNION ALL SELECT FROM package_offerings o JOIN entitlement_attachments a
        ON a.business_id = $1 AND a.product_offering_id = o.product_offering_id WHERE o.business_id = $1 AND o.package_id = $4
    ) AS "hasEntitlements"
  FROM wallets w
  JOIN packages k ON k.business_id = $1 AND k.id = $4 AND k.brand_id = w.brand_id
  JOIN products product ON product.business_id = $1 AND product.id = k.primary_product_id
  JOIN subscription_types s ON s.business_id = $1 AND s.id = $5
  JOIN package_prices p ON p.business_id = $1 AND p.package_id = k.id AND p.subscription_type_id = s.id AND p.currency = w.currency
  JOIN customers c ON c.business_id = $1 AND c.mode = $2 AND c.id = $7 AND c.brand_id = w.brand_id
  WHERE w.business_id = $1 AND w.mode = $2 AND w.id = $3 AND w.currency = $6`;

const change = (type: string, objectType: string, object: string, sequence: string, id: number, snapshot: string) =>
  `INSERT INTO changes (business_id, mode, id, type, object_type, object_id, sequence, actor_kind, actor_id, snapshot, request_id, created_at)
   SELECT $1::uuid, $2::mode, $${id}::uuid, '${type}', '${objectType}', ${object}, ${sequence}, 'API_KEY', $3::uuid, ${snapshot}, 'bare', $4::timestamptz`;

/** The binding reads from the license's insertion, which must therefore come first: a trigger looks the license up. */
const insertText = `
  WITH o AS (
    INSERT INTO orders (business_id, mode, id, number, brand_id, customer_id, wallet_id, status, currency, total_minor,
      ledger_transaction_id, completed_at, created_at, updated_at)
    VALUES ($1, $2, $5, $6, $7, $8, $9, 'COMPLETED', $10, $11::bigint, $12, $4, $4, $4)
  ), line AS (
    INSERT INTO order_lines (business_id, mode, id, order_id, position, package_id, subscription_type_id, quantity,
      unit_amount_minor, total_minor)
    VALUES ($1, $2, $13, $5, 1, $14, $15, 1, $11, $11)
  ), l AS (
    INSERT INTO licenses (business_id, mode, id, number, status, type, customer_id, package_id, subscription_type_id, order_id,
      valid_from, valid_until, activated_at, amount_minor, currency, tags, metadata, created_at, updated_at)
    VALUES ($1, $2, $16, $17, $18, $19, $8, $14, $15, $5, $20::timestamptz, $21::timestamptz, $4, $11, $10, '{}', '{}', $4, $4)
    RETURNING business_id, mode, id
  ), k AS (
    INSERT INTO license_keys (business_id, mode, id, customer_id, key_ciphertext, last4, source, status, created_at, updated_at)
    VALUES ($1, $2, $22, $8, $24, $25, 'AUTO', 'ACTIVE', $4, $4)
  ), h AS (
    INSERT INTO license_key_lookups (business_id, mode, key_hmac, hmac_key_id, license_key_id)
    VALUES ($1, $2, $23, 'bare', $22)
  ), b AS (
    INSERT INTO license_key_bindings (business_id, mode, license_key_id, license_id, created_at)
    SELECT business_id, mode, $22, id, $4 FROM l
  ), c1 AS (${change('order.completed', 'Order', '$5', '1', 26, '$29::jsonb')}
  ), c2 AS (${change('license.created', 'License', '$16', '1', 27, '$30::jsonb')}
  ), c3 AS (${change('license_key.created', 'LicenseKey', '$22', '1', 28, '$31::jsonb')}
  ) SELECT 1`;

const debitText = `
  WITH counter AS (
    SELECT id FROM ledger_accounts
    WHERE business_id = $1 AND mode = $2 AND kind = 'SALES' AND currency = $7 AND wallet_id IS NULL
  ), moved AS (
    UPDATE wallets w SET balance_minor = w.balance_minor - $6::bigint, ledger_sequence = coalesce(w.ledger_sequence, 0) + 1,
      ledger_hash = sha256(w.ledger_hash || convert_to(concat_ws('|', coalesce(w.ledger_sequence, 0) + 1, w.balance_minor,
        w.balance_minor - $6::bigint, (SELECT id FROM counter), $8::text), 'UTF8')),
      version = w.version + 1, updated_at = $4::timestamptz
    WHERE w.business_id = $1 AND w.mode = $2 AND w.id = $5 AND w.currency = $7 AND w.balance_minor >= $6::bigint
    RETURNING w.*, (SELECT id FROM counter) AS counter_id
  ), recorded AS (
    INSERT INTO ledger_transactions (business_id, mode, id, kind, order_id, created_at)
    SELECT business_id, mode, $9::uuid, 'PURCHASE', $10::uuid, $4 FROM moved
  ), transferred AS (
    INSERT INTO ledger_transfers (business_id, mode, id, transaction_id, debit_account_id, credit_account_id, currency,
      amount_minor, wallet_id, wallet_sequence, is_credit, balance_before_minor, balance_after_minor, hash, created_at)
    SELECT business_id, mode, $11::uuid, $9, id, counter_id, currency, $6, id, ledger_sequence, false, balance_minor + $6::bigint,
      balance_minor, ledger_hash, $4 FROM moved
  ), c AS (${change('wallet.debited', 'Wallet', 'moved.id', 'moved.version', 12, "to_jsonb(moved) - 'ledger_hash'")} FROM moved
  ) SELECT balance_minor AS balance FROM moved`;

async function purchase(caller: Caller, { input }: Row) {
  const client = await writers.connect();
  try {
    await client.query('BEGIN');
    const bought = await buy(client, caller, input);
    await client.query('COMMIT');
    return { purchaseLicensesByWallet: bought };
  } catch (error) {
    await client.query('ROLLBACK');
    throw error;
  } finally {
    client.release();
  }
}

async function buy(client: pg.PoolClient, { businessId, mode, keyId }: Caller, input: Row) {
  const now = new Date();
  const [walletId, customerId] = [uuidOf(input.walletId), uuidOf(input.customerId)];
  const [packageId, subscriptionTypeId] = [uuidOf(input.packageId), uuidOf(input.subscriptionTypeId)];
  const [validFrom, validUntil, currency] = [new Date(input.startDate), new Date(input.endDate), input.currencyCode];
  const named = [walletId, packageId, subscriptionTypeId, currency, customerId];
  const found = await client.query<Row>({ name: 'parts', text: partsText, values: [businessId, mode, ...named] });
  const parts = found.rows[0];
  if (!parts || money(parts.price, currency).amount !== input.amount || BigInt(parts.balance) < BigInt(parts.price))
    throw new Error('refused');
  if (parts.hasEntitlements) throw new Error('the world of the benchmark has no entitlements');
  if (validUntil.getTime() > validFrom.getTime() + parts.days * 86_400_000 || validUntil <= now)
    throw new Error('refused');

  const [orderId, transactionId, licenseId, licenseKeyId, transferId] = [v7(), v7(), v7(), v7(), v7()];
  const [orderNumber, licenseNumber] = [numberOf('B'), numberOf('L')];
  const status = validFrom > now ? 'PENDING' : 'ACTIVE';
  const key = randomBytes(15).toString('hex').toUpperCase();
  const tenant = [businessId, mode, keyId, now];
  const order = [orderId, orderNumber, parts.brandId, customerId, walletId, currency, parts.price, transactionId];
  const license = [licenseId, licenseNumber, status, parts.sku, validFrom, validUntil];
  const licenseKey = [licenseKeyId, keyHmac(businessId, mode, key), sealed(key, licenseKeyId), key.slice(-4)];
  const snapshots = [
    { id: orderId, number: orderNumber, customerId, walletId, currency, totalMinor: parts.price, status: 'COMPLETED' },
    { id: licenseId, number: licenseNumber, status, type: parts.sku, customerId, packageId, validFrom, validUntil },
    { id: licenseKeyId, customerId, last4: key.slice(-4), source: 'AUTO', status: 'ACTIVE' },
  ].map((snapshot) => JSON.stringify({ businessId, mode, ...snapshot, version: 1, createdAt: now }));
  const ordered = [...order, v7(), packageId, subscriptionTypeId];
  await client.query({
    name: 'insert',
    text: insertText,
    values: [...tenant, ...ordered, ...license, ...licenseKey, v7(), v7(), v7(), ...snapshots],
  });
  const details = JSON.stringify([
    walletId,
    transferId,
    transactionId,
    'PURCHASE',
    parts.price,
    currency,
    orderId,
    now,
  ]);
  const movement = [walletId, parts.price, currency, details, transactionId, orderId, transferId, v7()];
  const debited = await client.query<Row>({ name: 'debit', text: debitText, values: [...tenant, ...movement] });
  if (!debited.rows[0]) throw new Error('refused');
  return {
    success: true,
    statusCode: 200,
    message: 'Licenses bought: 1.',
    order: {
      id: idOf('ord', orderId),
      number: orderNumber,
      status: 'COMPLETED',
      total: money(parts.price, currency),
    },
    licenses: [
      {
        id: idOf('lic', licenseId),
        number: licenseNumber,
        status,
        validFrom: validFrom.toISOString(),
        validUntil: validUntil.toISOString(),
      },
    ],
    wallet: { id: input.walletId, balance: money(debited.rows[0].balance, currency) },
    userErrors: [],
  };
}

/** Fourteen digits, where the loaded rows have nine: a collision in a thousand runs would be one too many to explain. */
function numberOf(letter: string): string {
  return letter + randomInt(1e7, 1e8).toString() + randomInt(1e5, 1e6).toString();
}

function keyHmac(businessId: string, mode: string, key: string): Buffer {
  return createHmac('sha256', hmacKey).update(`${businessId}${mode}${key}`).digest();
}

function sealed(key: string, id: string): Buffer {
  const nonce = randomBytes(12);
  const cipher = createCipheriv('aes-256-gcm', cipherKey, nonce).setAAD(Buffer.from(id));
  return Buffer.concat([nonce, cipher.update(key, 'utf8'), cipher.final(), cipher.getAuthTag()]);
}

// HTTP.

const operations: Record<string, (caller: Caller, variables: Row) => Promise<object>> = {
  license,
  page,
  purchase,
  access,
  usage,
  usages,
};

async function answer(request: IncomingMessage): Promise<{ status: number; body: object }> {
  if (request.url === '/validate') return answerCheck(request);
  const caller = await callerOf(request);
  if (!caller) return { status: 401, body: { errors: [{ message: 'no such token' }] } };
  if (!isAllowed(caller.keyId)) return { status: 429, body: { errors: [{ message: 'too many requests' }] } };
  const operation = operations[request.url!.slice(1)];
  if (!operation) return { status: 404, body: { errors: [{ message: 'no such operation' }] } };
  return { status: 200, body: { data: await operation(caller, await bodyOf(request)) } };
}

async function bodyOf(request: IncomingMessage): Promise<Row> {
  let text = '';
  request.setEncoding('utf8');
  for await (const chunk of request) text += chunk;
  return JSON.parse(text) as Row;
}

async function answerCheck(request: IncomingMessage): Promise<{ status: number; body: object }> {
  const brand = await brandOf(String(request.headers['brand-url']));
  if (!brand) return { status: 400, body: { errors: [{ message: 'no such brand' }] } };
  const address = request.socket.remoteAddress!;
  if (!isAllowed(address) || !isAllowed(`keys ${address}`)) {
    return { status: 429, body: { errors: [{ message: 'too many requests' }] } };
  }
  const { key } = (await bodyOf(request)).input;
  return { status: 200, body: { data: { validateLicenseKey: await validation(brand, key) } } };
}

const server = createServer((request, response) => {
  if (request.url === '/ready') {
    response.end();
    return;
  }
  void answer(request)
    .catch((error: Error) => {
      console.error(error);
      return { status: 500, body: { errors: [{ message: error.message }] } };
    })
    .then(({ status, body }) => {
      const text = JSON.stringify(body);
      const length = Buffer.byteLength(text);
      response.writeHead(status, { 'content-type': 'application/json; charset=utf-8', 'content-length': length });
      response.end(text);
    });
});
server.listen(Number(process.env.PORT), '127.0.0.1');
process.on('SIGTERM', () => process.exit(0));
