import type { IncomingHttpHeaders } from 'node:http';
import type { ApolloServer } from '@apollo/server';
import { fastifyApolloHandler } from '@as-integrations/fastify';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { GraphQLError } from 'graphql';
import type { Exchange } from './answer.js';
import type { ExecutionContext } from './executor.js';
import { sendError, sendThrown } from './httpErrors.js';
import type { Lane } from './lane.js';
import {
  addressKey,
  createRateLimiter,
  principalOf,
  rateLimitHeaders,
  type BucketSize,
  type RateLimitState,
} from './rateLimit.js';

declare module 'fastify' {
  interface FastifyRequest {
    /** What the log line of a GraphQL request tells beyond HTTP: who called and which operation. */
    operationSummary: { principal?: string | null } & Exchange['summary'];
    /** Set once the request was admitted. */
    exchange: Exchange | undefined;
  }
}

export interface GraphqlRouteOptions {
  readonly endpoint: string;
  /** Authenticates. @throws GraphQLError with a code, which becomes the answer */
  readonly contextFor: (request: {
    headers: IncomingHttpHeaders;
    /** Names and values in turn, doubled headers included. */
    rawHeaders: readonly string[];
    ip: string;
    requestId: string;
  }) => Promise<ExecutionContext>;
  /** The short way for what Apollo Server has seen before. */
  readonly lane: Lane;
  readonly documentBytes: number;
  readonly rateLimits: { readonly token: BucketSize; readonly ip: BucketSize };
  /** Whether browsers that open the endpoint get Apollo Sandbox. */
  readonly sandbox: boolean;
}

/**
 * GET and POST for GraphQL. Each request is authenticated and charged to its rate limit before its body is read, so that a bad
 * token is 401 and an exhausted caller 429 whatever they send.
 */
export function graphqlRoute(app: FastifyInstance, apollo: ApolloServer<Exchange>, options: GraphqlRouteOptions): void {
  const { endpoint, lane } = options;
  const handle = fastifyApolloHandler(apollo, {
    context: async (request: FastifyRequest) => {
      const { exchange } = request;
      if (exchange === undefined) throw badRequest('GraphQL operations must contain a non-empty `query`.');
      return exchange;
    },
  }) as (this: FastifyInstance, request: FastifyRequest, reply: FastifyReply) => Promise<unknown>;
  app.decorateRequest('operationSummary');
  app.decorateRequest('exchange');
  app.route({
    method: ['GET', 'POST'],
    url: endpoint,
    exposeHeadRoute: false,
    onRequest: admission(options),
    handler: async (request, reply) => {
      const { exchange } = request;
      const asked = exchange && lane.read(request);
      if (asked) return lane.answer(asked, exchange, reply);
      if (Buffer.byteLength(documentOf(request)) > options.documentBytes) {
        const message = `The GraphQL document is larger than ${options.documentBytes} bytes.`;
        return sendError(reply, 400, 'DOCUMENT_TOO_LARGE', message);
      }
      const body = await handle.call(app, request, reply);
      const answered = exchange?.summary.outcome !== undefined;
      if (answered && reply.statusCode !== 406) lane.learn(request, reply.getHeader('content-type'));
      return answered ? body : withRequestId(body, request.id, reply);
    },
  });
  app.route({
    method: ['HEAD', 'PUT', 'PATCH', 'DELETE'],
    url: endpoint,
    onRequest: async (_request, reply) => {
      return sendError(reply.header('allow', 'GET, POST'), 405, 'BAD_REQUEST', 'Only GET and POST are supported here.');
    },
    handler: async () => undefined,
  });
}

type RouteHook = (request: FastifyRequest, reply: FastifyReply) => Promise<unknown>;

function admission(options: GraphqlRouteOptions): RouteHook {
  const byToken = createRateLimiter(options.rateLimits.token);
  const byAddress = createRateLimiter(options.rateLimits.ip);
  return async (request, reply) => {
    if (options.sandbox && wantsSandbox(request)) return undefined;
    const address = addressKey(request.ip);
    // Without a token the address pays, whoever the brand makes it: who has nothing left is not looked up at all.
    const isAnonymous = tokenHeaders.every((name) => request.headers[name] === undefined);
    const paid = isAnonymous ? byAddress(address) : null;
    if (paid?.allowed === false) {
      request.operationSummary = { principal: null };
      return tooMany(reply, paid);
    }
    let execution: ExecutionContext | null = null;
    let problem: unknown = null;
    try {
      execution = await options.contextFor({
        headers: request.headers,
        rawHeaders: request.raw.rawHeaders,
        ip: request.ip,
        requestId: request.id,
      });
    } catch (error) {
      problem = error;
    }
    const principal = execution === null ? null : principalOf(execution.request.viewer);
    const rate = isAnonymous ? paid : principal === null ? byAddress(address) : byToken(principal);
    request.operationSummary = { principal };
    if (rate?.allowed === false) return tooMany(reply, rate);
    if (rate !== null) reply.headers(rateLimitHeaders(rate));
    if (execution === null) return sendThrown(reply, problem);
    const report = { requestId: request.id, log: request.log };
    request.exchange = { execution, report, summary: request.operationSummary };
    return undefined;
  };
}

const tokenHeaders = ['authorization', 'x-api-key', 'auth-key'];

function tooMany(reply: FastifyReply, rate: RateLimitState): FastifyReply {
  const message = `Too many requests; try again in ${rate.retryAfterSeconds} seconds.`;
  return sendError(reply.headers(rateLimitHeaders(rate)), 429, 'RATE_LIMITED', message);
}

function badRequest(message: string): GraphQLError {
  return new GraphQLError(message, { extensions: { code: 'BAD_REQUEST', http: { status: 400 } } });
}

/** A browser that opens the endpoint in a tab. Nothing is executed for it, so it needs no token. */
function wantsSandbox({ method, url, headers }: FastifyRequest): boolean {
  return method === 'GET' && !url.includes('?') && /^text\/html\b/i.test(headers.accept ?? '');
}

function documentOf(request: FastifyRequest): string {
  const source = request.method === 'GET' ? request.query : request.body;
  const document = (source as { query?: unknown } | null | undefined)?.query;
  return typeof document === 'string' ? document : '';
}

/** Errors from before Apollo's pipeline (CSRF, batches, a body without a query) lack the request id, which Apollo cannot know. */
function withRequestId(body: unknown, requestId: string, reply: FastifyReply): unknown {
  if (typeof body !== 'string' || !String(reply.getHeader('content-type')).includes('json')) return body;
  const answer = JSON.parse(body) as { errors?: { extensions?: object }[] };
  for (const error of answer.errors ?? []) error.extensions = { ...error.extensions, requestId };
  return JSON.stringify(answer);
}
