import {
  execute,
  GraphQLError,
  OperationTypeNode,
  type DocumentNode,
  type ExecutionResult,
  type GraphQLSchema,
  type OperationDefinitionNode,
} from 'graphql';
import type { Columns } from '../kernel/columns.js';
import type { RequestContext } from '../kernel/requestContext.js';
import { createColumnsOf } from './columnsOfOperation.js';
import { createQueryCompiler, type QueryCompiler } from './compiledQuery.js';
import { compileCost } from './cost.js';
import { rootFieldsOf } from './rootFields.js';

/** An operation to execute: parsed and validated before. */
export interface Asked {
  readonly document: DocumentNode;
  /** Null or undefined when the document has none of that name: graphql-js then says what is wrong. */
  readonly operation: OperationDefinitionNode | null | undefined;
  readonly operationName: string | undefined;
  readonly variables: Record<string, unknown>;
  readonly execution: ExecutionContext;
}

/** Executes an operation. Never rejects for what the caller did. */
export type Execute = (asked: Asked) => Promise<ExecutionResult>;

/** What the executor reads and writes of the context that resolvers get. */
export interface ExecutionContext {
  readonly request: RequestContext;
  /** Filled by the mutation wrapper: which mutation fields of this answer were replays. */
  readonly idempotency: { path: (string | number)[]; replayed: boolean }[];
  /** The header `Idempotency-Key` or `X-Idempotency-Key`; null when the caller sent neither. */
  readonly idempotencyKeyHeader: string | null;
  /** Root fields of the mutation that is executed; set here before the first resolver runs. 0 for queries. */
  mutationFieldCount: number;
  /** What is read of rows; set here before the first resolver runs. */
  columns: Columns;
}

/** What is carried to the answer. Apollo Server clones its context, so the resolvers' own object stands one level down. */
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
 * The executor: checks what depends on the variables or the caller (cost, introspection, idempotency header) before any
 * resolver runs, executes by a deadline, and adds `extensions.cost` and `extensions.idempotency`.
 */
export function createExecutor(options: ExecutorOptions): Execute {
  const compiledQuery = createQueryCompiler(options.schema);
  const columnsOf = createColumnsOf(options.schema);
  return async (asked) => {
    const { document, operation, variables, execution } = asked;
    if (!operation) return executeBy(options, compiledQuery, asked);

    const requested = compileCost(options.schema, document, operation)(variables);
    const cost = { requested, limit: options.maxCost };
    const refusal = refuse(options, asked, operation, requested);
    if (refusal !== null) return { errors: [refusal], extensions: { cost } };

    // Who has no token reads none of these rows, and shall not use up the sets that a process tells apart.
    if (execution.request.viewer.principal !== 'PUBLIC') execution.columns = columnsOf(document, operation);
    const result = await executeBy(options, compiledQuery, asked);
    const { idempotency } = execution;
    const extensions = idempotency.length > 0 ? { cost, idempotency } : { cost };
    return { errors: result.errors, data: result.data, extensions };
  };
}

/** The reason not to execute; null when there is none. Counts the mutation's fields on the way. */
function refuse(
  options: ExecutorOptions,
  { document, variables, execution }: Asked,
  operation: OperationDefinitionNode,
  requested: number,
): GraphQLError | null {
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
  compiledQuery: QueryCompiler,
  asked: Asked,
): Promise<ExecutionResult> {
  const compiled = compiledQuery(asked)?.(asked.variables, asked.execution);
  const result = await withDeadline(compiled ?? interpret(options, asked), options.requestMs);
  if (result === undefined) return executeBy(options, () => null, asked);
  return result.data === undefined ? { ...result, errors: result.errors?.map(asUserInputError) } : result;
}

function interpret(
  options: ExecutorOptions,
  { document, operationName, variables, execution }: Asked,
): ExecutionResult | Promise<ExecutionResult> {
  return execute({
    schema: options.schema,
    document,
    operationName,
    variableValues: variables,
    contextValue: execution,
    // graphql-js adds one more error that says there were too many.
    options: { maxCoercionErrors: options.maxErrors - 1 },
  });
}

/** Without data nothing was executed: the variables do not fit, which is the caller's mistake even where graphql-js gives no code. */
function asUserInputError(error: GraphQLError): GraphQLError {
  if (error.extensions.code !== undefined) return error;
  return new GraphQLError(error.message, { nodes: error.nodes, extensions: { code: 'BAD_USER_INPUT' } });
}

/** The result, or after `ms` an answer that says so. What is late goes on unheard; its rejection cannot crash the process. */
async function withDeadline<Result>(running: Result | Promise<Result>, ms: number): Promise<Result | ExecutionResult> {
  if (!(running instanceof Promise)) return running;
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
