import { join } from 'node:path';
import { bool, cleanEnv, makeValidator, str } from 'envalid';

/** A secret key of 32 bytes and the name under which rows remember that they were made with it. */
export interface SecretKey {
  readonly id: string;
  readonly secret: Buffer;
}

/** A token bucket: `capacity` requests at once, then `refillPerSecond`. A capacity of 0 switches it off. */
export interface RateLimit {
  readonly capacity: number;
  readonly refillPerSecond: number;
}

export type Config = ReturnType<typeof readConfig>;

/** The environment is wrong; the message is one line for a human: which variable, and what to do. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
}

/** The environment as the process got it; an empty value counts as absent, as in a half-filled `.env` file. */
type Environment = Record<string, string | undefined>;

const keyList = makeValidator<readonly SecretKey[]>(parseKeys);
const list = makeValidator<readonly string[]>((text) => split(text));
const token = makeValidator<string>((text) => {
  if (text.length < 32) throw new Error('must have at least 32 characters; make one with: openssl rand -hex 32');
  return text;
});
const databaseUrl = makeValidator<string>((text) => {
  if (!/^postgres(ql)?:$/.test(protocolOf(text)))
    throw new Error('must look like postgresql://user:password@host:5432/db');
  return text;
});
const webUrl = makeValidator<string>((text) => {
  if (!/^https?:$/.test(protocolOf(text))) throw new Error('must start with http:// or https://');
  return text.replace(/\/+$/, '');
});
const smtpUrl = makeValidator<string>((text) => {
  if (!/^smtps?:$/.test(protocolOf(text))) throw new Error('must look like smtp://user:password@host:587');
  return text;
});
const sender = makeValidator<string>((text) => {
  if (!/^([^<>@\r\n]*<[^\s<>@]+@[^\s<>@]+>|[^\s<>@]+@[^\s<>@]+)$/.test(text)) {
    throw new Error('must look like Acme <no-reply@acme.example>');
  }
  return text;
});
const count = makeValidator<number>((text) => wholeNumber(text, 1));
const countOrOff = makeValidator<number>((text) => wholeNumber(text, 0));
const port = makeValidator<number>((text) => {
  const value = wholeNumber(text, 0);
  if (value > 65_535) throw new Error('must be at most 65535');
  return value;
});
const proxies = makeValidator<number>((text) => (text === 'true' ? 1 : text === 'false' ? 0 : wholeNumber(text, 0)));
const positive = makeValidator<number>((text) => {
  const value = Number(text);
  if (!(value > 0 && Number.isFinite(value))) throw new Error('must be a number above 0');
  return value;
});

const variables = {
  NODE_ENV: str({ choices: ['development', 'test', 'production'], default: 'development' }),
  HOST: str({ default: undefined }),
  PORT: port({ default: 4000 }),
  LATCHKEY_ROLE: str({ choices: ['all', 'api', 'worker'], default: 'all' }),
  LATCHKEY_PUBLIC_URL: webUrl({ default: undefined }),
  LATCHKEY_TRUST_PROXY: proxies({ default: 0 }),
  LATCHKEY_CORS_ORIGINS: list({ default: [] }),
  LATCHKEY_PLAYGROUND: bool({ default: undefined }),
  LATCHKEY_LOG_LEVEL: str({ choices: ['trace', 'debug', 'info', 'warn', 'error', 'silent'], default: 'info' }),
  DATABASE_URL: databaseUrl({ default: undefined }),
  DIRECT_DATABASE_URL: databaseUrl({ default: undefined }),
  LATCHKEY_DATA_DIR: str({ default: '.data' }),
  LATCHKEY_READ_POOL_SIZE: count({ default: 10 }),
  LATCHKEY_WRITE_POOL_SIZE: count({ default: 10 }),
  LATCHKEY_WORKER_CONCURRENCY: count({ default: 10 }),
  LATCHKEY_ADMIN_TOKEN: token({ default: undefined }),
  LATCHKEY_HMAC_KEYS: keyList({ default: undefined }),
  LATCHKEY_ENCRYPTION_KEYS: keyList({ default: undefined }),
  SMTP_URL: smtpUrl({ default: undefined }),
  LATCHKEY_MAIL_FROM: sender({ default: 'Latchkey <no-reply@localhost>' }),
  LATCHKEY_LIMIT_DEPTH: count({ default: 10 }),
  LATCHKEY_LIMIT_ALIASES: count({ default: 15 }),
  LATCHKEY_LIMIT_ROOT_FIELDS: count({ default: 10 }),
  LATCHKEY_LIMIT_DIRECTIVES: count({ default: 10 }),
  LATCHKEY_LIMIT_TOKENS: count({ default: 1_500 }),
  LATCHKEY_LIMIT_DOCUMENT_BYTES: count({ default: 20_480 }),
  LATCHKEY_LIMIT_BODY_BYTES: count({ default: 262_144 }),
  LATCHKEY_LIMIT_ERRORS: makeValidator<number>((text) => wholeNumber(text, 2))({ default: 5 }),
  LATCHKEY_LIMIT_COST: count({ default: 10_000 }),
  LATCHKEY_LIMIT_INPUT_LIST: count({ default: 250 }),
  LATCHKEY_LIMIT_BULK_LIST: count({ default: 1_000 }),
  LATCHKEY_LIMIT_REQUEST_MS: count({ default: 10_000 }),
  LATCHKEY_RATE_TOKEN_CAPACITY: countOrOff({ default: 5_000 }),
  LATCHKEY_RATE_TOKEN_REFILL_PER_SECOND: positive({ default: 84 }),
  LATCHKEY_RATE_IP_CAPACITY: countOrOff({ default: 1_200 }),
  LATCHKEY_RATE_IP_REFILL_PER_SECOND: positive({ default: 20 }),
  LATCHKEY_RATE_KEYS_CAPACITY: countOrOff({ default: 100 }),
  LATCHKEY_RATE_KEYS_REFILL_PER_SECOND: positive({ default: 0.2 }),
};

/** Every variable that is read, for the test that keeps `.env.example` complete. */
export const configVariables: readonly string[] = Object.keys(variables);

/**
 * The environment as one checked, frozen object. Nothing else reads `process.env`.
 * @throws ConfigError one line that names each wrong variable and what to do about it
 */
export function readConfig(environment: Environment = process.env) {
  const env = readVariables(environment);
  const production = env.NODE_ENV === 'production';
  const config = {
    nodeEnv: env.NODE_ENV,
    production,
    host: env.HOST ?? (production ? '0.0.0.0' : '127.0.0.1'),
    port: env.PORT,
    role: env.LATCHKEY_ROLE,
    publicUrl: env.LATCHKEY_PUBLIC_URL ?? null,
    /** Proxies in front of this server whose `X-Forwarded-For` is believed; 0 believes none. */
    trustProxy: env.LATCHKEY_TRUST_PROXY,
    corsOrigins: env.LATCHKEY_CORS_ORIGINS,
    playground: env.LATCHKEY_PLAYGROUND ?? !production,
    logLevel: env.LATCHKEY_LOG_LEVEL,
    databaseUrl: env.DATABASE_URL ?? null,
    directDatabaseUrl: env.DIRECT_DATABASE_URL ?? env.DATABASE_URL ?? null,
    dataDir: env.LATCHKEY_DATA_DIR,
    /** Jobs that one worker does at a time. */
    workerConcurrency: env.LATCHKEY_WORKER_CONCURRENCY,
    pools: { read: env.LATCHKEY_READ_POOL_SIZE, write: env.LATCHKEY_WRITE_POOL_SIZE },
    adminToken: env.LATCHKEY_ADMIN_TOKEN ?? null,
    hmacKeys: env.LATCHKEY_HMAC_KEYS ?? null,
    encryptionKeys: env.LATCHKEY_ENCRYPTION_KEYS ?? null,
    smtpUrl: env.SMTP_URL ?? null,
    /** Where mails are kept as files; null: they are sent. */
    mailFolder: env.SMTP_URL === undefined ? join(env.LATCHKEY_DATA_DIR, 'mail') : null,
    mailFrom: env.LATCHKEY_MAIL_FROM,
    limits: {
      depth: env.LATCHKEY_LIMIT_DEPTH,
      aliases: env.LATCHKEY_LIMIT_ALIASES,
      rootFields: env.LATCHKEY_LIMIT_ROOT_FIELDS,
      directives: env.LATCHKEY_LIMIT_DIRECTIVES,
      tokens: env.LATCHKEY_LIMIT_TOKENS,
      documentBytes: env.LATCHKEY_LIMIT_DOCUMENT_BYTES,
      bodyBytes: env.LATCHKEY_LIMIT_BODY_BYTES,
      errors: env.LATCHKEY_LIMIT_ERRORS,
      cost: env.LATCHKEY_LIMIT_COST,
      inputList: env.LATCHKEY_LIMIT_INPUT_LIST,
      bulkList: env.LATCHKEY_LIMIT_BULK_LIST,
      requestMs: env.LATCHKEY_LIMIT_REQUEST_MS,
    },
    rateLimits: {
      token: {
        capacity: env.LATCHKEY_RATE_TOKEN_CAPACITY,
        refillPerSecond: env.LATCHKEY_RATE_TOKEN_REFILL_PER_SECOND,
      },
      ip: { capacity: env.LATCHKEY_RATE_IP_CAPACITY, refillPerSecond: env.LATCHKEY_RATE_IP_REFILL_PER_SECOND },
      /** Unknown license keys and discount codes that one address may ask for without an API key. */
      keys: { capacity: env.LATCHKEY_RATE_KEYS_CAPACITY, refillPerSecond: env.LATCHKEY_RATE_KEYS_REFILL_PER_SECOND },
    },
  } as const;
  const { pools, limits, rateLimits } = config;
  for (const group of [pools, limits, ...Object.values(rateLimits), rateLimits]) {
    Object.freeze(group);
  }
  return Object.freeze(config);
}

function readVariables(environment: Environment) {
  const given = Object.fromEntries(
    Object.entries(environment).filter(([, value]) => value !== undefined && value !== ''),
  );
  return cleanEnv(given, variables, {
    reporter: ({ errors }) => {
      const problems = Object.entries(errors).map(([name, error]) => `${name} ${error?.message ?? 'is wrong'}`);
      if (given.NODE_ENV === 'production') problems.push(...missingInProduction(given));
      if (problems.length > 0) throw new ConfigError(`Wrong configuration: ${problems.join('; ')}.`);
    },
  });
}

/** What a throw-away development server makes for itself, and production must be told. */
function missingInProduction(given: Environment): string[] {
  const keys = 'is needed in production: keyId:base64 of 32 bytes; make one with: echo "k1:$(openssl rand -base64 32)"';
  const needed = {
    DATABASE_URL: 'is needed in production: the address of a PostgreSQL database',
    LATCHKEY_HMAC_KEYS: keys,
    LATCHKEY_ENCRYPTION_KEYS: keys,
  };
  return Object.entries(needed).flatMap(([name, problem]) => (given[name] === undefined ? [`${name} ${problem}`] : []));
}

/** `id:base64,id:base64`; never repeats the text, because it is secret. */
function parseKeys(text: string): readonly SecretKey[] {
  const keys = split(text).map((entry): SecretKey => {
    const [, id, encoded] = /^([\w-]{1,32}):([A-Za-z0-9+/]{43}=?)$/.exec(entry) ?? [];
    if (id === undefined || encoded === undefined) {
      throw new Error(
        'must be a comma-separated list of keyId:base64 of 32 bytes; make one with: openssl rand -base64 32',
      );
    }
    return Object.freeze({ id, secret: Buffer.from(encoded, 'base64') });
  });
  if (keys.length === 0) throw new Error('must name at least one key');
  if (new Set(keys.map((key) => key.id)).size < keys.length)
    throw new Error('names one key id twice; give each key its own');
  return Object.freeze(keys);
}

function wholeNumber(text: string, least: number): number {
  const value = Number(text);
  if (!/^\d+$/.test(text) || value < least) throw new Error(`must be a whole number of at least ${least}`);
  return value;
}

function split(text: string): string[] {
  return text
    .split(',')
    .map((part) => part.trim())
    .filter((part) => part !== '');
}

function protocolOf(text: string): string {
  return URL.canParse(text) ? new URL(text).protocol : '';
}
