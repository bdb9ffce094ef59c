import type { ExecutionResult, GraphQLError, GraphQLFormattedError, OperationTypeNode } from 'graphql';
import type { PipelineContext } from './executor.js';
import { formatError, statusOfErrors, type ErrorReport } from './formatError.js';
import type { Outcome, RequestMetrics, Way } from './requestMetrics.js';

/** One request on its way to its answer. */
export interface Exchange extends PipelineContext {
  readonly report: ErrorReport;
  /** What the request's log line tells of its operation; empty when the request never came to one. */
  readonly summary: { operationName?: string | null | undefined; operationType?: string; outcome?: Outcome };
}

/** The HTTP side of an answer, which is completed here. */
export interface AnswerHead {
  status?: number;
  readonly headers: { set(name: string, value: string): unknown };
}

/** An operation that was carried out or refused. */
export interface Ended {
  readonly operationName: string | null | undefined;
  readonly operationType: OperationTypeNode | undefined;
  readonly errors: readonly GraphQLError[] | undefined;
  readonly hasData: boolean;
  /** The header `Accept`. */
  readonly accept: string | undefined;
  readonly way: Way;
  /** By `performance.now()`. */
  readonly startedAt: number;
}

/**
 * Ends an exchange: chooses the HTTP status by the errors, tells metrics and log line how the operation ended.
 * @returns the errors as the caller sees them; null when there are none
 */
export function conclude(
  { execution, report, summary }: Exchange,
  head: AnswerHead,
  { operationName, operationType, errors = [], hasData, accept, way, startedAt }: Ended,
  metrics: RequestMetrics,
): GraphQLFormattedError[] | null {
  const formatted = errors.map((error) => formatError(error, report));
  if (formatted.length > 0) setStatus(head, formatted, execution.mutationFieldCount, isLegacyClient(accept));
  const outcome = outcomeOf(formatted, hasData);
  const type = operationType ?? 'unknown';
  summary.operationName = operationName;
  summary.operationType = type;
  summary.outcome = outcome;
  metrics.observeOperation(type, outcome, way, (performance.now() - startedAt) / 1_000);
  return formatted.length > 0 ? formatted : null;
}

/**
 * The status that an execution's errors ask for before `conclude` looks at them: their own, else 400 when nothing was executed.
 * Apollo Server does the same on its way.
 */
export function headOfErrors({ data, errors }: ExecutionResult, head: AnswerHead): void {
  for (const { extensions } of errors ?? []) {
    const { status } = (extensions.http ?? {}) as { status?: number };
    if (status !== undefined) head.status = status;
  }
  if (errors?.length && data === undefined) head.status ??= 400;
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
  head: AnswerHead,
  errors: readonly GraphQLFormattedError[],
  mutationFieldCount: number,
  legacy: boolean,
): void {
  const status = statusOfErrors(errors, mutationFieldCount);
  // Apollo Server knows better kinds of bad requests: 405, 406, 415.
  if (status !== null && !(status === 400 && (head.status ?? 0) > 400)) head.status = status;
  if (status === null && legacy && errors.every((error) => legacyCodes.has(error.extensions?.code))) head.status = 200;
  if (status === 401) head.headers.set('www-authenticate', 'Bearer');
  if (status === 503) head.headers.set('retry-after', '1');
  if (status === 429) head.headers.set('retry-after', String(longestWait(errors)));
}

/** After so many seconds every part of the request may be asked for again. */
function longestWait(errors: readonly GraphQLFormattedError[]): number {
  return Math.max(1, ...errors.map(({ extensions }) => Number(extensions?.retryAfterSeconds ?? 0)));
}

/** GraphQL over HTTP: who asks for `application/json` by name and nothing else gets 200 for errors of the document. */
function isLegacyClient(accept: string | undefined): boolean {
  return accept !== undefined && /^application\/json\s*(;[^,]*)?$/i.test(accept.trim());
}
