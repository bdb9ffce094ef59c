import { randomUUID } from 'node:crypto';
import type { IncomingHttpHeaders, IncomingMessage } from 'node:http';
import { fastify, LogController, type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify';
import { printSchema, type GraphQLSchema } from 'graphql';
import { collectDefaultMetrics, type Registry } from 'prom-client';
import type { Config } from './config.js';
import { registerCors } from './cors.js';
import { createApolloServer } from './graphql/apolloServer.js';
import { createExecutor, type ExecutionContext } from './graphql/executor.js';
import { createGraphiqlPage, graphiqlPolicy, type GraphiqlPage } from './graphql/graphiqlPage.js';
import { graphqlRoute } from './graphql/graphqlRoute.js';
import { jwksRoute, type JwksRouteOptions } from './graphql/jwksRoute.js';
import { createKnownDocuments } from './graphql/knownDocuments.js';
import { createLane } from './graphql/lane.js';
import { answerBrokenRequest, answerErrorsAsJson, sendError } from './graphql/httpErrors.js';
import { createRequestMetrics } from './graphql/requestMetrics.js';
import { createLog, type Logger } from './log.js';

/** What the server needs of the rest of the program. */
export interface ServerParts {
  readonly config: Config;
  /** Executable, with `@auth` enforced by its resolvers. */
  readonly schema: GraphQLSchema;
  readonly log?: Logger;
  /**
   * Authenticates once a request, before its body is read.
   * @throws GraphQLError with code UNAUTHENTICATED (answered 401), BRAND_NOT_FOUND or BAD_REQUEST (400)
   */
  readonly contextFor: (request: CallerRequest) => Promise<ExecutionContext>;
  /** The keys that signed files are verified with; absent: this server signs none. */
  readonly keySetOf?: JwksRouteOptions['keySetOf'];
  /** Whether this process can serve: database reachable, clocks agree. Reasons are shown on `/readyz`. */
  readonly ready: () => Promise<Readiness>;
  readonly metrics: Registry;
}

export interface CallerRequest {
  readonly headers: IncomingHttpHeaders;
  /** Names and values in turn, doubled headers included. */
  readonly rawHeaders: readonly string[];
  readonly ip: string;
  readonly requestId: string;
}

export interface Readiness {
  readonly ok: boolean;
  readonly reasons: readonly string[];
}

const endpoint = '/graphql';
const probes = new Set(['/livez', '/readyz', '/metrics']);

/**
 * The HTTP server, not yet listening: GraphQL at `/graphql`, probes, metrics, and in development the playgrounds and the SDL.
 * `close()` drains it: new requests get 503, those in flight finish.
 */
export async function createServer(parts: ServerParts): Promise<FastifyInstance> {
  const { config, schema, metrics } = parts;
  const log = parts.log ?? createLog(config);
  const requestMetrics = createRequestMetrics(metrics);
  collectDefaultMetrics({ register: metrics });
  const app = createApp(config, log);
  const draining = drainOnClose(app);
  answerErrorsAsJson(app);
  logRequests(app, requestMetrics.observeRequest);
  await registerCors(app, config);

  const known = createKnownDocuments();
  const execute = createExecutor({
    schema,
    maxCost: config.limits.cost,
    maxErrors: config.limits.errors,
    requestMs: config.limits.requestMs,
    publicIntrospection: !config.production,
  });
  const apollo = await createApolloServer({
    schema,
    execute,
    known,
    limits: config.limits,
    production: config.production,
    sandbox: config.playground,
    metrics: requestMetrics,
    log,
  });
  app.addHook('onClose', () => apollo.stop());
  graphqlRoute(app, apollo, {
    endpoint,
    contextFor: parts.contextFor,
    lane: createLane({ execute, known, metrics: requestMetrics }),
    documentBytes: config.limits.documentBytes,
    rateLimits: config.rateLimits,
    sandbox: config.playground,
  });
  if (parts.keySetOf) jwksRoute(app, { keySetOf: parts.keySetOf, rateLimit: config.rateLimits.ip });
  probeRoutes(app, parts, draining);
  if (config.playground) playgroundRoutes(app, schema);
  return app;
}

function createApp(config: Config, log: Logger): FastifyInstance {
  const app = fastify({
    loggerInstance: log,
    logController: new LogController({ disableRequestLogging: true, requestIdLogLabel: 'requestId' }),
    trustProxy: config.trustProxy > 0 && ((_address: string, hop: number) => hop < config.trustProxy),
    bodyLimit: config.limits.bodyBytes,
    genReqId: requestIdOf,
    frameworkErrors: (_error, _request, reply) => void sendError(reply, 400, 'BAD_REQUEST', 'The URL is malformed.'),
    return503OnClosing: false, // drainOnClose answers in our shape
    requestTimeout: 20_000, // a client that takes longer to send its request is slow on purpose
    keepAliveTimeout: 72_000, // longer than the usual 60 s of load balancers, who should be the ones to hang up
    http: { headersTimeout: 10_000, connectionsCheckingInterval: 2_000 },
    clientErrorHandler: answerBrokenRequest,
    routerOptions: { ignoreTrailingSlash: true },
  }) as unknown as FastifyInstance;
  app.removeAllContentTypeParsers();
  const parseJson = app.getDefaultJsonParser('error', 'error');
  app.addContentTypeParser('application/json', { parseAs: 'string' }, (request, body: string, done) => {
    const charset = /charset\s*=\s*"?([^";\s]+)/i.exec(request.headers['content-type'] ?? '')?.[1] ?? 'utf-8';
    const readable = /^utf-?8$/i.test(charset) && request.headers['content-encoding'] === undefined;
    if (readable) void parseJson(request, body, done);
    else done(Object.assign(new Error('unreadable body'), { statusCode: 415 }), undefined);
  });
  app.addHook('onRequest', (request, reply, done) => {
    reply.headers({
      'x-request-id': request.id,
      'x-content-type-options': 'nosniff',
      'referrer-policy': 'no-referrer',
      'content-security-policy': "frame-ancestors 'none'",
      'cache-control': 'no-store',
    });
    done();
  });
  return app;
}

function requestIdOf(request: IncomingMessage): string {
  const given = request.headers['x-request-id'];
  return typeof given === 'string' && /^[\w-]{8,64}$/.test(given) ? given : randomUUID();
}

/** From the moment of `close()`, whoever still comes over an open connection is sent away; tells whether that is so. */
function drainOnClose(app: FastifyInstance): () => boolean {
  let draining = false;
  app.addHook('preClose', async () => {
    draining = true;
  });
  app.addHook('onRequest', (_request, reply, done) => {
    if (!draining) return done();
    void reply.headers({ connection: 'close', 'retry-after': '1' });
    void sendError(reply, 503, 'UNAVAILABLE', 'This server is shutting down. Try again; another one will answer.');
  });
  // An open connection of an answered request would hold the server back until the client lets go.
  app.addHook('onSend', (_request, reply, _payload, done) => {
    if (draining) void reply.header('connection', 'close');
    done();
  });
  return () => draining;
}

/** One line and one count a request. The query string stays out: a GET carries its variables there. */
function logRequests(
  app: FastifyInstance,
  observe: (method: string, route: string, status: number, seconds: number) => void,
): void {
  app.addHook('onResponse', (request: FastifyRequest, reply: FastifyReply, done) => {
    const { method, url } = request;
    const status = reply.statusCode;
    const ms = Math.round(reply.elapsedTime * 10) / 10;
    const query = url.indexOf('?');
    const path = query < 0 ? url : url.slice(0, query);
    observe(method, request.routeOptions.url ?? 'unknown', status, ms / 1_000);
    const { principal, operationName, operationType, outcome } = request.operationSummary ?? {};
    const line = { method, path, status, ms, principal, operationName, operationType, outcome };
    if (probes.has(path)) request.log.debug(line, 'request');
    else request.log.info(line, 'request');
    done();
  });
}

function probeRoutes(app: FastifyInstance, { ready, metrics }: ServerParts, draining: () => boolean): void {
  app.get('/livez', async () => ({ status: 'ok' }));
  app.get('/readyz', async (_request, reply) => {
    const { ok, reasons } = draining() ? { ok: false, reasons: ['shutting down'] } : await readyWithin(ready, 2_000);
    return ok ? { status: 'ok' } : reply.code(503).send({ status: 'unavailable', reasons });
  });
  app.get('/metrics', async (_request, reply) => reply.type(metrics.contentType).send(await metrics.metrics()));
}

/** A check that hangs or fails is an answer too: not ready. */
async function readyWithin(ready: () => Promise<Readiness>, ms: number): Promise<Readiness> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<Readiness>((resolve) => {
    timer = setTimeout(() => resolve({ ok: false, reasons: [`the checks took longer than ${ms} ms`] }), ms);
  });
  const checked = ready().catch((): Readiness => ({ ok: false, reasons: ['the checks failed'] }));
  return Promise.race([checked, late]).finally(() => clearTimeout(timer));
}

function playgroundRoutes(app: FastifyInstance, schema: GraphQLSchema): void {
  let page: Promise<GraphiqlPage> | undefined;
  app.get('/graphiql', async (request, reply) => {
    page ??= createGraphiqlPage(endpoint);
    const { html, gzipped, etag } = await page;
    reply.headers({
      etag,
      'cache-control': 'no-cache',
      vary: 'accept-encoding',
      'content-security-policy': graphiqlPolicy,
    });
    if (request.headers['if-none-match'] === etag) return reply.code(304).send();
    reply.type('text/html; charset=utf-8');
    if (!/\bgzip\b/.test(request.headers['accept-encoding'] ?? '')) return reply.send(html);
    return reply.header('content-encoding', 'gzip').send(gzipped);
  });
  app.get('/schema.graphql', async (_request, reply) => {
    return reply.type('text/plain; charset=utf-8').send(printSchema(schema));
  });
}
