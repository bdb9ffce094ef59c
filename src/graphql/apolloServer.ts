import {
  ApolloServer,
  type ApolloServerOptionsWithGateway,
  type ApolloServerPlugin,
  type BaseContext,
} from '@apollo/server';
import {
  ApolloServerPluginCacheControlDisabled,
  ApolloServerPluginInlineTraceDisabled,
  ApolloServerPluginLandingPageDisabled,
  ApolloServerPluginSchemaReportingDisabled,
  ApolloServerPluginUsageReportingDisabled,
} from '@apollo/server/plugin/disabled';
import { ApolloServerPluginLandingPageLocalDefault } from '@apollo/server/plugin/landingPage/default';
import type { GraphQLSchema } from 'graphql';
import { conclude, type Exchange } from './answer.js';
import type { Execute, PipelineContext } from './executor.js';
import { faultMessage, type ErrorReport } from './formatError.js';
import type { KnownDocuments } from './knownDocuments.js';
import { limitsRule, type ShapeLimits } from './limits.js';
import type { RequestMetrics } from './requestMetrics.js';

export interface ApolloOptions {
  readonly schema: GraphQLSchema;
  readonly execute: Execute;
  readonly limits: ShapeLimits & { readonly tokens: number; readonly errors: number };
  readonly production: boolean;
  /** Apollo Sandbox for browsers at the endpoint itself. */
  readonly sandbox: boolean;
  readonly metrics: RequestMetrics;
  /** Told of each document that passed every rule. */
  readonly known: KnownDocuments;
  /** Faults outside of any request's pipeline. */
  readonly log: ErrorReport['log'];
}

/** Selections of an operation, its fragments written out: graphql-js works on each. */
const maxRecursiveSelections = 5_000;

/** Apollo Server over an executor of our own, started: with the limits on, and everything off that reports to elsewhere. */
export async function createApolloServer(options: ApolloOptions): Promise<ApolloServer<Exchange>> {
  const { schema, execute, limits, log } = options;
  const quiet = () => {};
  const server = new ApolloServer<Exchange>({
    gateway: gatewayOf(schema, execute),
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
      answerPlugin(options),
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

type Gateway = ApolloServerOptionsWithGateway<BaseContext>['gateway'];

/** Apollo Server's interface for executors of one's own: so it never sees the resolvers, and cannot instrument them. */
function gatewayOf(schema: GraphQLSchema, execute: Execute): Gateway {
  return {
    load: async () => ({
      executor: ({ document, operation, request, context }) =>
        execute({
          document,
          operation,
          operationName: request.operationName,
          variables: request.variables ?? {},
          execution: (context as PipelineContext).execution,
        }),
    }),
    onSchemaLoadOrUpdate: (callback) => {
      callback({ apiSchema: schema, coreSupergraphSdl: '' });
      return () => {};
    },
    stop: async () => {},
  };
}

/** Ends the exchange, and remembers documents that passed every rule for the lane that passes Apollo Server by. */
function answerPlugin({ metrics, known }: ApolloOptions): ApolloServerPlugin<Exchange> {
  return {
    async requestDidStart() {
      const startedAt = performance.now();
      return {
        async didResolveOperation({ source, document }) {
          known.add(source, document);
        },
        async willSendResponse({ contextValue, response, errors, operation, operationName, request }) {
          if (response.body.kind !== 'single') return;
          const { singleResult } = response.body;
          const ended = {
            operationName,
            operationType: operation?.operation,
            errors,
            hasData: singleResult.data != null,
            accept: request.http?.headers.get('accept'),
            way: 'apollo' as const,
            startedAt,
          };
          const formatted = conclude(contextValue, response.http, ended, metrics);
          if (formatted !== null) singleResult.errors = formatted;
        },
      };
    },
  };
}
