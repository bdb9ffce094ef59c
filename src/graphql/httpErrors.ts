import { STATUS_CODES } from 'node:http';
import type { Socket } from 'node:net';
import type { FastifyError, FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { GraphQLError } from 'graphql';
import { ClientError } from '../kernel/clientError.js';
import { describeFault } from '../kernel/describeFault.js';
import { faultOf, statusOfErrors } from './formatError.js';

/** Body of every answer that is an error of HTTP rather than of a GraphQL operation: the same shape as GraphQL's. */
export function errorBody(code: string, message: string, requestId: string, extensions: object = {}): object {
  return { errors: [{ message, extensions: { ...extensions, code, requestId } }] };
}

/** Answers with one error as JSON. */
export function sendError(reply: FastifyReply, status: number, code: string, message: string): FastifyReply {
  if (status === 401) void reply.header('www-authenticate', 'Bearer');
  return reply
    .code(status)
    .type('application/json; charset=utf-8')
    .send(errorBody(code, message, reply.request.id));
}

/** Answers with an error that was thrown before GraphQL began, such as a bad token. Unknown ones are logged and masked. */
export function sendThrown(reply: FastifyReply, error: unknown): FastifyReply {
  if ((error instanceof GraphQLError || error instanceof ClientError) && typeof error.extensions.code === 'string') {
    const { code, http } = error.extensions as { code: string; http?: { status?: number } };
    const status = statusOfErrors([{ message: '', extensions: { code } }], 0) ?? http?.status ?? 400;
    return sendError(reply, status, code, error.message);
  }
  const { code, message } = faultOf(error);
  reply.log.error({ code, err: describeFault(error) }, 'fault in a request');
  const status = statusOfErrors([{ message, extensions: { code } }], 0) ?? 500;
  if (status === 503) void reply.header('retry-after', '1');
  return sendError(reply, status, code, message);
}

const clientMistakes = new Map<number, [code: string, message: string]>([
  [400, ['BAD_REQUEST', 'The request body is not valid JSON.']],
  [408, ['REQUEST_TIMEOUT', 'The request was not received in time.']],
  [413, ['PAYLOAD_TOO_LARGE', 'The request body is too large.']],
  [414, ['BAD_REQUEST', 'The address is too long.']],
  [415, ['UNSUPPORTED_MEDIA_TYPE', 'The request body must be application/json in UTF-8.']],
]);

/** Makes all errors of the HTTP server JSON in our shape. Bodies are never logged or repeated: they may hold license keys. */
export function answerErrorsAsJson(app: FastifyInstance): void {
  app.setErrorHandler((error: FastifyError, _request: FastifyRequest, reply: FastifyReply) => {
    const status = error.statusCode ?? 500;
    const known = clientMistakes.get(status);
    if (known !== undefined) return sendError(reply, status, ...known);
    if (status >= 400 && status < 500)
      return sendError(reply, status, 'BAD_REQUEST', STATUS_CODES[status] ?? 'Bad Request');
    return sendThrown(reply, error);
  });
  app.setNotFoundHandler((_request, reply) => sendError(reply, 404, 'NOT_FOUND', 'There is nothing at this address.'));
}

const brokenRequests = new Map<string, [status: number, message: string]>([
  ['ERR_HTTP_REQUEST_TIMEOUT', [408, 'The request was not received in time.']],
  ['HPE_HEADER_OVERFLOW', [431, 'The request headers are too large.']],
]);

/** Answers what is not HTTP, or comes too slowly to become a request, and hangs up. */
export function answerBrokenRequest(error: Error & { code?: string }, socket: Socket): void {
  if (error.code === 'ECONNRESET' || !socket.writable) {
    socket.destroy();
    return;
  }
  const [status, message] = brokenRequests.get(error.code ?? '') ?? [400, 'The request is not valid HTTP.'];
  const body = JSON.stringify({ errors: [{ message, extensions: { code: 'BAD_REQUEST', requestId: null } }] });
  const head = [
    `HTTP/1.1 ${status} ${STATUS_CODES[status]}`,
    'content-type: application/json; charset=utf-8',
    `content-length: ${Buffer.byteLength(body)}`,
    'connection: close',
  ];
  socket.end(`${head.join('\r\n')}\r\n\r\n${body}`);
}
