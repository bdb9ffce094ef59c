import { ApolloServer, type ApolloServerPlugin, type HeaderMap } from '@apollo/server';
import {
  ApolloServerPluginCacheControlDisabled,
  ApolloServerPluginInlineTraceDisabled,
  ApolloServerPluginLandingPageDisabled,
  ApolloServerPluginSchemaReportingDisabled,
  ApolloServerPluginUsageReportingDisabled,
} from '@apollo/server/plugin/disabled';
import { ApolloServerPluginLandingPageLocalDefault } from '@apollo/server/plugin/landingPage/default';
import type { GraphQLFormattedError, GraphQLSchema } from 'graphql';
import type { Executor, Gateway, PipelineContext } from './executor.js';
import { faultMessage, formatError, statusOfErrors, type ErrorReport } from './formatError.js';
import { limitsRule, type ShapeLimits } from './limits.js';
import type { Outcome, RequestMetrics } from './requestMetrics.js';

/** One request on its way through Apollo Server. */
export interface Exchange extends PipelineContext {
  readonly report: ErrorReport;
  /** What the request's log line tells of its operation; empty when the request never came to one. */
  readonly summary: { operationName?: string | null; operationType?: string; outcome?: Outcome };
}

export interface ApolloOptions {
  readonly schema: GraphQLSchema;
  readonly executor: Executor;
  readonly limits: ShapeLimits & { readonly tokens: number; readonly errors: number };
  readonly production: boolean;
  /** Apollo Sandbox for browsers at the endpoint itself. */
  readonly sandbox: boolean;
  readonly metrics: RequestMetrics;
  /** Faults outside of any request's pipeline. */
  readonly log: ErrorReport['log'];
}

/** Selections of an operation, its fragments written out: graphql-js works on each. */
const maxRecursiveSelections = 5_000;

/** Apollo Server over an executor of our own, started: with the limits on, and everything off that reports to elsewhere. */
export async function createApolloServer(options: ApolloOptions): Promise<ApolloServer<Exchange>> {
  const { schema, executor, limits, log } = options;
  const quiet = () => {};
  const server = new ApolloServer<Exchange>({
    gateway: gatewayOf(schema, executor),
    nodeEnv: options.production ? 'production' : 'development',
    stopOnTerminationSignals: false,
    introspection: true, // The executor decides by the caller.
    csrfPrevention: true,
    allowBatchedHttpRequests: false,
    persistedQueries: false,
    includeStacktraceInErrorResponses: false,
    hideSchemaDetailsFromClientErrors: options.production,
    parseOptions: { maxTokens: limits.tokens },
    // graphql-js adds one more error that says there were too many.
    validationOptions: { maxErrors: limits.errors - 1 },
    maxRecursiveSelections,
    validationRules: [limitsRule(limits)],
    logger: { debug: quiet, info: quiet, warn: quiet, error: (message) => log.error({}, String(message)) },
    // Only for what fails before the pipeline starts: answerPlugin formats the rest, and knows the request id.
    formatError: (formatted) =>
      formatted.extensions?.code === 'INTERNAL_SERVER_ERROR' ? { ...formatted, message: faultMessage } : formatted,
    plugins: [
      answerPlugin(options.metrics),
      options.sandbox
        ? ApolloServerPluginLandingPageLocalDefault({ footer: false })
        : ApolloServerPluginLandingPageDisabled(),
      ApolloServerPluginCacheControlDisabled(),
      ApolloServerPluginInlineTraceDisabled(),
      ApolloServerPluginSchemaReportingDisabled(),
      ApolloServerPluginUsageReportingDisabled(),
    ],
  });
  await server.start();
  return server;
}

function gatewayOf(schema: GraphQLSchema, executor: Executor): Gateway {
  return {
    load: async () => ({ executor }),
    onSchemaLoadOrUpdate: (callback) => {
      callback({ apiSchema: schema, coreSupergraphSdl: '' });
      return () => {};
    },
    stop: async () => {},
  };
}

/** Formats the answer's errors, chooses its HTTP status, and tells the metrics and the log line how the operation ended. */
function answerPlugin(metrics: RequestMetrics): ApolloServerPlugin<Exchange> {
  return {
    async requestDidStart() {
      const startedAt = performance.now();
      return {
        async willSendResponse({ contextValue, response, errors, operation, operationName, request }) {
          if (response.body.kind !== 'single') return;
          const { singleResult } = response.body;
          const formatted = (errors ?? []).map((error) => formatError(error, contextValue.report));
          if (formatted.length > 0) {
            singleResult.errors = formatted;
            const legacy = isLegacyClient(request.http?.headers.get('accept'));
            setStatus(response.http, formatted, contextValue.execution.mutationFieldCount, legacy);
          }
          const outcome = outcomeOf(formatted, singleResult.data != null);
          const operationType = operation?.operation ?? 'unknown';
          Object.assign(contextValue.summary, { operationName, operationType, outcome });
          metrics.observeOperation(operationType, outcome, (performance.now() - startedAt) / 1_000);
        },
      };
    },
  };
}

function outcomeOf(errors: readonly GraphQLFormattedError[], hasData: boolean): Outcome {
  if (errors.length === 0) return 'ok';
  const faults = ['INTERNAL_SERVER_ERROR', 'UNAVAILABLE', 'REQUEST_TIMEOUT'];
  if (errors.some((error) => faults.includes(String(error.extensions?.code)))) return 'fault';
  return hasData ? 'partial' : 'refused';
}

/** Codes of documents and variables that are wrong in themselves, which old clients expect under status 200. */
const legacyCodes = new Set<unknown>(['GRAPHQL_PARSE_FAILED', 'GRAPHQL_VALIDATION_FAILED', 'BAD_USER_INPUT']);

function setStatus(
  http: { status?: number; headers: HeaderMap },
  errors: readonly GraphQLFormattedError[],
  mutationFieldCount: number,
  legacy: boolean,
): void {
  const status = statusOfErrors(errors, mutationFieldCount);
  // Apollo Server knows better kinds of bad requests: 405, 406, 415.
  if (status !== null && !(status === 400 && (http.status ?? 0) > 400)) http.status = status;
  if (status === null && legacy && errors.every((error) => legacyCodes.has(error.extensions?.code))) http.status = 200;
  if (status === 401) http.headers.set('www-authenticate', 'Bearer');
  if (status === 503) http.headers.set('retry-after', '1');
  if (status === 429) http.headers.set('retry-after', String(longestWait(errors)));
}

/** After so many seconds every part of the request may be asked for again. */
function longestWait(errors: readonly GraphQLFormattedError[]): number {
  return Math.max(1, ...errors.map(({ extensions }) => Number(extensions?.retryAfterSeconds ?? 0)));
}

/** GraphQL over HTTP: who asks for `application/json` by name and nothing else gets 200 for errors of the document. */
function isLegacyClient(accept: string | undefined): boolean {
  return accept !== undefined && /^application\/json\s*(;[^,]*)?$/i.test(accept.trim());
}
