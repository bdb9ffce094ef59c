import type { FastifyReply, FastifyRequest } from 'fastify';
import { getOperationAST, type ExecutionResult } from 'graphql';
import { conclude, headOfErrors, type Exchange } from './answer.js';
import type { Asked, Execute } from './executor.js';
import type { KnownDocuments } from './knownDocuments.js';
import type { RequestMetrics } from './requestMetrics.js';

/** The short way to an answer, for what Apollo Server has seen before. */
export interface Lane {
  /** What a request asks for, when the lane may answer it; null: Apollo Server must. */
  read(request: FastifyRequest): LaneRequest | null;
  /** Executes and answers. @returns the body */
  answer(asked: LaneRequest, exchange: Exchange, reply: FastifyReply): Promise<string>;
  /** Notes down which content type Apollo Server chose for an `Accept` header. */
  learn(request: FastifyRequest, contentType: unknown): void;
}

export type LaneRequest = Omit<Asked, 'execution'> & { readonly accept: string; readonly contentType: string };

interface LaneParts {
  readonly execute: Execute;
  readonly known: KnownDocuments;
  readonly metrics: RequestMetrics;
}

const MAX_ACCEPTS = 100;

/**
 * A lane past Apollo Server: a POST of JSON whose document passed every rule before goes straight to the executor. Everything
 * else (unknown documents, GET, unusual headers, whatever is malformed) goes to Apollo Server. Both give the same bytes.
 */
export function createLane({ execute, known, metrics }: LaneParts): Lane {
  const contentTypes = new Map<string, string>();
  return {
    read(request) {
      if (request.method !== 'POST' || request.headers['content-type'] !== 'application/json') return null;
      const accept = request.headers.accept ?? '';
      const contentType = contentTypes.get(accept);
      return contentType === undefined ? null : askedOf(request.body, known, accept, contentType);
    },

    async answer(asked, exchange, reply) {
      const startedAt = performance.now();
      const { document, operation, operationName, variables, accept, contentType } = asked;
      const result = await execute({ document, operation, operationName, variables, execution: exchange.execution });
      const head = { status: undefined as number | undefined, headers: new Map<string, string>() };
      headOfErrors(result, head);
      const ended = {
        operationName: operation?.name?.value ?? null,
        operationType: operation?.operation,
        errors: result.errors,
        hasData: result.data != null,
        accept,
        way: 'lane' as const,
        startedAt,
      };
      const errors = conclude(exchange, head, ended, metrics);
      for (const [name, value] of head.headers) void reply.header(name, value);
      void reply.code(head.status ?? 200).header('content-type', contentType);
      return bodyOf(result, errors);
    },

    learn(request, contentType) {
      const accept = request.headers.accept ?? '';
      if (typeof contentType !== 'string' || accept.length > 256) return;
      const [oldest] = contentTypes.keys();
      // Headers that nobody else sends must not keep out what everybody sends.
      if (contentTypes.size >= MAX_ACCEPTS && !contentTypes.has(accept)) contentTypes.delete(oldest as string);
      contentTypes.set(accept, contentType);
    },
  };
}

/** The operation of a body that has nothing but what every client sends; null for any other. */
function askedOf(body: unknown, known: KnownDocuments, accept: string, contentType: string): LaneRequest | null {
  if (typeof body !== 'object' || body === null) return null;
  const { query, variables, operationName, extensions } = body as Record<string, unknown>;
  if (typeof query !== 'string' || (extensions !== undefined && extensions !== null)) return null;
  if (variables != null && (typeof variables !== 'object' || Array.isArray(variables))) return null;
  if (operationName != null && typeof operationName !== 'string') return null;
  const document = known.get(query);
  const operation = document && getOperationAST(document, operationName);
  if (!document || !operation) return null;
  return {
    document,
    operation,
    operationName: operationName ?? undefined,
    variables: (variables ?? {}) as Record<string, unknown>,
    accept,
    contentType,
  };
}

function bodyOf({ data, extensions }: ExecutionResult, errors: unknown): string {
  return `${JSON.stringify({ errors: errors ?? undefined, data, extensions })}\n`;
}
