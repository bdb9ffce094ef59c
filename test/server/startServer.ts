import type { AddressInfo } from 'node:net';
import { buildSchema, GraphQLError, type GraphQLSchema } from 'graphql';
import { pino, type Logger } from 'pino';
import { Registry } from 'prom-client';
import { readConfig } from '../../src/config.js';
import type { ExecutionContext } from '../../src/graphql/executor.js';
import { wholeRows } from '../../src/kernel/columns.js';
import type { RequestContext } from '../../src/kernel/requestContext.js';
import type { Viewer } from '../../src/kernel/viewer.js';
import { createServer, type CallerRequest, type Readiness } from '../../src/server.js';

/** A small world with everything that the server must bound: depth, connections, lists by ids, mutations, faults, waiting. */
const sdl = `
  directive @cost(weight: Int!) on FIELD_DEFINITION
  type PageInfo { hasNextPage: Boolean! }
  type Thing { id: ID! name: String! secret: String next: Thing! items(first: Int, last: Int): ThingConnection! }
  type ThingEdge { cursor: String! node: Thing! }
  type ThingConnection { edges: [ThingEdge!]! nodes: [Thing!]! pageInfo: PageInfo! totalCount: Int! }
  type Query {
    hello: String
    me: String
    thing: Thing
    things(ids: [ID!]!): [Thing!]!
    items(first: Int, last: Int): ThingConnection!
    heavy: Thing @cost(weight: 500)
    page(size: Int! = 5): Int
    sum(numbers: [Int!]!): Int
    fail(with: String!): String
    wait: String
  }
  type Mutation { touch(input: TouchInput): String conflict: String }
  input TouchInput { name: String! }
`;

export interface TestServer {
  readonly url: string;
  /** Every root resolver call, by field name. */
  readonly calls: string[];
  /** Parsed log lines. */
  readonly lines: Record<string, unknown>[];
  /** How many requests were looked up. */
  contexts(): number;
  /** Lets everybody who asked for `wait` go on. */
  release(): void;
  /** Resolves when somebody asks for `wait`. */
  readonly waiting: Promise<void>;
  close(): Promise<void>;
  post(body: unknown, headers?: Record<string, string>): Promise<Response>;
  ask(query: string, variables?: object, headers?: Record<string, string>): Promise<Answer>;
}

export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly data?: Record<string, unknown> | null;
  readonly errors?: { message: string; path?: string[]; extensions: Record<string, unknown> }[];
  readonly extensions?: Record<string, unknown>;
}

export const validToken = 'lk_test_valid';

interface Options {
  readonly env?: Record<string, string>;
  readonly ready?: () => Promise<Readiness>;
  /** Thrown by the field `fail(with:)`, by name. */
  readonly failures?: Record<string, unknown>;
}

const production = {
  NODE_ENV: 'production',
  HOST: '127.0.0.1',
  DATABASE_URL: 'postgresql://nobody@127.0.0.1:1/none',
  LATCHKEY_HMAC_KEYS: `h:${Buffer.alloc(32).toString('base64')}`,
  LATCHKEY_ENCRYPTION_KEYS: `e:${Buffer.alloc(32).toString('base64')}`,
};
export const productionEnv: Record<string, string> = production;

/** The real server over real HTTP on a free port of loopback, with the small world inside. */
export async function startServer(options: Options = {}): Promise<TestServer> {
  const lines: Record<string, unknown>[] = [];
  const log: Logger = pino({ level: 'debug' }, { write: (line: string) => void lines.push(JSON.parse(line)) });
  const world = makeWorld(options.failures ?? {});
  let contexts = 0;
  const app = await createServer({
    config: readConfig({ NODE_ENV: 'test', ...options.env }),
    schema: world.schema,
    log,
    contextFor: async (request) => {
      contexts++;
      return contextFor(request);
    },
    ready: options.ready ?? (async () => ({ ok: true, reasons: [] })),
    metrics: new Registry(),
  });
  await app.listen({ host: '127.0.0.1', port: 0 });
  const url = `http://127.0.0.1:${(app.server.address() as AddressInfo).port}`;
  const post = (body: unknown, headers: Record<string, string> = {}) =>
    fetch(`${url}/graphql`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...headers },
      body: typeof body === 'string' ? body : JSON.stringify(body),
    });
  const ask = async (query: string, variables?: object, headers?: Record<string, string>): Promise<Answer> => {
    const response = await post({ query, variables }, headers);
    return { status: response.status, headers: response.headers, ...((await response.json()) as object) };
  };
  return { url, lines, post, ask, contexts: () => contexts, close: () => app.close(), ...world };
}

function contextFor({ headers, requestId }: CallerRequest): ExecutionContext {
  const token = headers.authorization?.replace('Bearer ', '');
  if (token !== undefined && !token.startsWith(validToken)) {
    throw new GraphQLError('The token is not valid.', { extensions: { code: 'UNAUTHENTICATED' } });
  }
  const viewer =
    token === undefined
      ? { principal: 'PUBLIC', businessId: null, brandId: null }
      : { principal: 'API_KEY', businessId: 'b', mode: 'TEST', apiKeyId: token, scopes: new Set(), brandId: null };
  const header = headers['idempotency-key'] ?? headers['x-idempotency-key'];
  return {
    request: { viewer: viewer as Viewer, requestId, now: new Date() } as RequestContext,
    idempotency: [],
    idempotencyKeyHeader: typeof header === 'string' ? header : null,
    mutationFieldCount: 0,
    columns: wholeRows,
  };
}

function makeWorld(failures: Record<string, unknown>) {
  const calls: string[] = [];
  const held = deferred<string>();
  const asked = deferred<void>();
  const thing: Record<string, unknown> = {
    id: '1',
    name: 'thing',
    items: ({ first }: { first?: number }) => page(first),
  };
  thing.next = thing;
  const page = (size = 1) => {
    const nodes = Array<unknown>(size).fill(thing);
    return {
      nodes,
      edges: nodes.map((node) => ({ cursor: 'c', node })),
      pageInfo: { hasNextPage: false },
      totalCount: size,
    };
  };
  const resolvers: Record<string, (args: Record<string, unknown>, context: ExecutionContext) => unknown> = {
    hello: () => 'world',
    me: (_, { request }) => {
      if (request.viewer.principal !== 'PUBLIC') return request.viewer.principal;
      throw new GraphQLError('Send a token.', { extensions: { code: 'UNAUTHENTICATED' } });
    },
    thing: () => thing,
    heavy: () => thing,
    things: ({ ids }) => (ids as string[]).map(() => thing),
    items: ({ first }) => page(first as number | undefined),
    page: ({ size }) => size,
    sum: ({ numbers }) => (numbers as number[]).reduce((sum, number) => sum + number, 0),
    fail: async ({ with: name }) => {
      throw (failures[name as string] as Error | undefined) ?? new Error(`no failure ${String(name)}`);
    },
    wait: () => {
      asked.resolve();
      return held.promise;
    },
    touch: (_, context) => {
      if (context.idempotencyKeyHeader !== null) context.idempotency.push({ path: ['touch'], replayed: true });
      return String(context.mutationFieldCount);
    },
    conflict: () => {
      throw new GraphQLError('The key was used for something else.', { extensions: { code: 'IDEMPOTENCY_CONFLICT' } });
    },
  };
  const schema: GraphQLSchema = buildSchema(sdl);
  for (const type of [schema.getQueryType()!, schema.getMutationType()!]) {
    for (const field of Object.values(type.getFields())) {
      field.resolve = (_, args, context) => {
        calls.push(field.name);
        return resolvers[field.name]!(args as Record<string, unknown>, context as ExecutionContext);
      };
    }
  }
  return { schema, calls, waiting: asked.promise, release: () => held.resolve('released') };
}

function deferred<T>(): { promise: Promise<T>; resolve: (value: T) => void } {
  let resolve: (value: T) => void = () => {};
  const promise = new Promise<T>((settle) => {
    resolve = settle;
  });
  return { promise, resolve };
}
