import type { ApolloServerOptionsWithGateway, BaseContext } from '@apollo/server';
import {
  execute,
  GraphQLError,
  OperationTypeNode,
  type DocumentNode,
  type ExecutionResult,
  type GraphQLSchema,
  type OperationDefinitionNode,
} from 'graphql';
import type { RequestContext } from '../kernel/requestContext.js';
import { compileCost } from './cost.js';
import { rootFieldsOf } from './rootFields.js';

export type Gateway = ApolloServerOptionsWithGateway<BaseContext>['gateway'];
/** What Apollo Server calls to execute an operation that it parsed and validated. */
export type Executor = NonNullable<Awaited<ReturnType<Gateway['load']>>['executor']>;

/** What the executor reads and writes of the context that resolvers get. */
export interface ExecutionContext {
  readonly request: RequestContext;
  /** Filled by the mutation wrapper: which mutation fields of this answer were replays. */
  readonly idempotency: { path: (string | number)[]; replayed: boolean }[];
  /** The header `Idempotency-Key` or `X-Idempotency-Key`; null when the caller sent neither. */
  readonly idempotencyKeyHeader: string | null;
  /** Root fields of the mutation that is executed; set here before the first resolver runs. 0 for queries. */
  mutationFieldCount: number;
}

/** What Apollo Server carries through its pipeline. It clones its context, so the resolvers' own object stands one level down. */
export interface PipelineContext {
  readonly execution: ExecutionContext;
}

export interface ExecutorOptions {
  /** The schema as it was made: Apollo Server never sees its resolvers, and so cannot instrument them. */
  readonly schema: GraphQLSchema;
  readonly maxCost: number;
  readonly maxErrors: number;
  /** After this the caller gets `REQUEST_TIMEOUT`, and what still runs is left to its own limits. */
  readonly requestMs: number;
  /** Whether callers without a token may read the schema. */
  readonly publicIntrospection: boolean;
}

/**
 * The gateway-interface executor of Apollo Server: checks what depends on the variables or the caller (cost, introspection,
 * idempotency header) before any resolver runs, executes by a deadline, and adds `extensions.cost` and
 * `extensions.idempotency`.
 */
export function createExecutor(options: ExecutorOptions): Executor {
  return async ({ document, operation, request, context }) => {
    const { execution } = context as PipelineContext;
    const variables = request.variables ?? {};
    if (!operation) return executeBy(options, document, request.operationName, variables, execution);

    const requested = compileCost(options.schema, document, operation)(variables);
    const cost = { requested, limit: options.maxCost };
    const refusal = refuse(options, { document, operation, variables, execution, requested });
    if (refusal !== null) return { errors: [refusal], extensions: { cost } };

    const result = await executeBy(options, document, request.operationName, variables, execution);
    const { idempotency } = execution;
    return {
      ...result,
      extensions: { ...result.extensions, cost, ...(idempotency.length > 0 ? { idempotency } : {}) },
    };
  };
}

interface Asked {
  readonly document: DocumentNode;
  readonly operation: OperationDefinitionNode;
  readonly variables: Record<string, unknown>;
  readonly execution: ExecutionContext;
  readonly requested: number;
}

/** The reason not to execute; null when there is none. Counts the mutation's fields on the way. */
function refuse(options: ExecutorOptions, asked: Asked): GraphQLError | null {
  const { document, operation, variables, execution, requested } = asked;
  if (!options.schema.getRootType(operation.operation)) {
    return badRequest('BAD_REQUEST', `There are no ${operation.operation} operations here.`);
  }
  if (requested > options.maxCost) {
    const message = `The operation would cost ${requested} points; the limit is ${options.maxCost}. Ask for smaller pages.`;
    return badRequest('COST_LIMIT_EXCEEDED', message, { requested, limit: options.maxCost });
  }
  const isMutation = operation.operation === OperationTypeNode.MUTATION;
  const mayIntrospect = options.publicIntrospection || execution.request.viewer.principal !== 'PUBLIC';
  if (!isMutation && mayIntrospect) return null;
  const fields = rootFieldsOf(document, operation, variables);
  if (!mayIntrospect && [...fields.values()].some((name) => name === '__schema' || name === '__type')) {
    return badRequest('INTROSPECTION_DISABLED', 'Reading the schema needs an API key here.');
  }
  if (isMutation) execution.mutationFieldCount = fields.size;
  if (isMutation && fields.size > 1 && execution.idempotencyKeyHeader !== null) {
    const message =
      'The Idempotency-Key header needs an operation with one mutation field; use `input.idempotencyKey` here.';
    return badRequest('BAD_REQUEST', message);
  }
  return null;
}

function badRequest(code: string, message: string, extensions: object = {}): GraphQLError {
  return new GraphQLError(message, { extensions: { ...extensions, code, http: { status: 400 } } });
}

async function executeBy(
  options: ExecutorOptions,
  document: DocumentNode,
  operationName: string | undefined,
  variableValues: Record<string, unknown>,
  contextValue: ExecutionContext,
): Promise<ExecutionResult> {
  const running = execute({
    schema: options.schema,
    document,
    operationName,
    variableValues,
    contextValue,
    // graphql-js adds one more error that says there were too many.
    options: { maxCoercionErrors: options.maxErrors - 1 },
  });
  const result = running instanceof Promise ? await withDeadline(running, options.requestMs) : running;
  return result.data === undefined ? { ...result, errors: result.errors?.map(asUserInputError) } : result;
}

/** Without data nothing was executed: the variables do not fit, which is the caller's mistake even where graphql-js gives no code. */
function asUserInputError(error: GraphQLError): GraphQLError {
  if (error.extensions.code !== undefined) return error;
  return new GraphQLError(error.message, { nodes: error.nodes, extensions: { code: 'BAD_USER_INPUT' } });
}

/** The result, or after `ms` an answer that says so. What is late goes on unheard; its rejection cannot crash the process. */
async function withDeadline(running: Promise<ExecutionResult>, ms: number): Promise<ExecutionResult> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<ExecutionResult>((resolve) => {
    timer = setTimeout(() => {
      const message = `The request took longer than ${ms} ms. A change may still happen: repeat it with the same idempotency key.`;
      resolve({ errors: [new GraphQLError(message, { extensions: { code: 'REQUEST_TIMEOUT' } })] });
    }, ms);
  });
  try {
    return await Promise.race([running, late]);
  } finally {
    clearTimeout(timer);
  }
}
