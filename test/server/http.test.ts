import { request as httpRequest } from 'node:http';
import { connect } from 'node:net';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { productionEnv, startServer, validToken, type TestServer } from './startServer.js';

let server: TestServer;
let production: TestServer;
beforeAll(async () => {
  server = await startServer();
  production = await startServer({ env: productionEnv });
});
afterAll(async () => {
  await server.close();
  await production.close();
});

const json = { 'content-type': 'application/json' };
const authorized = { authorization: `Bearer ${validToken}` };
const introspection = '{ __schema { queryType { name } } }';

/** What every refusal looks like: JSON, a code, and the request id that the header tells too. */
async function expectError(response: Response, status: number, code: string): Promise<void> {
  const text = await response.text();
  expect([response.status, text]).toEqual([status, expect.stringContaining(code)]);
  expect(response.headers.get('content-type')).toContain('json');
  const requestId = response.headers.get('x-request-id');
  for (const error of JSON.parse(text).errors) expect(error).toMatchObject({ extensions: { code, requestId } });
}

test.each<[string, string | undefined, Record<string, string>, number, string]>([
  ['malformed JSON', '{"query":', json, 400, 'BAD_REQUEST'],
  ['null', 'null', json, 400, 'BAD_REQUEST'],
  ['a number', '1', json, 400, 'BAD_REQUEST'],
  ['a string', '""', json, 400, 'BAD_REQUEST'],
  ['an empty batch', '[]', json, 400, 'BAD_REQUEST'],
  ['a batch', '[{"query":"{ hello }"},{"query":"{ hello }"}]', json, 400, 'BAD_REQUEST'],
  ['an empty body', '', json, 400, 'BAD_REQUEST'],
  ['no query', '{"a":1}', json, 400, 'BAD_REQUEST'],
  ['a prototype key', '{"query":"{ hello }","variables":{"__proto__":{"x":1}}}', json, 400, 'BAD_REQUEST'],
  ['text', '{"query":"{ hello }"}', { 'content-type': 'text/plain' }, 415, 'UNSUPPORTED_MEDIA_TYPE'],
  ['a form', 'query={hello}', { 'content-type': 'application/x-www-form-urlencoded' }, 415, 'UNSUPPORTED_MEDIA_TYPE'],
  ['bare GraphQL', '{ hello }', { 'content-type': 'application/graphql' }, 415, 'UNSUPPORTED_MEDIA_TYPE'],
  ['another charset', '{}', { 'content-type': 'application/json; charset=ibm037' }, 415, 'UNSUPPORTED_MEDIA_TYPE'],
  ['compression', '{}', { ...json, 'content-encoding': 'gzip' }, 415, 'UNSUPPORTED_MEDIA_TYPE'],
  ['300 KB', `{"query":"{ hello }","x":"${'x'.repeat(300 * 1024)}"}`, json, 413, 'PAYLOAD_TOO_LARGE'],
])('POST of %s is refused as JSON', async (_, body, headers, status, code) => {
  const response = await fetch(`${server.url}/graphql`, { method: 'POST', headers, body });
  await expectError(response, status, code);
});

test('an endless body is cut off with 413', async () => {
  const status = await new Promise((resolve, reject) => {
    const sending = httpRequest(`${server.url}/graphql`, { method: 'POST', headers: json }, (response) => {
      resolve(response.statusCode);
      sending.destroy();
    });
    sending.on('error', reject);
    const more = () => {
      while (!sending.destroyed && sending.write('x'.repeat(65_536)));
    };
    sending.on('drain', more);
    more();
  });
  expect(status).toBe(413);
});

test('a GET needs a header that makes browsers ask first, and cannot change anything', async () => {
  const get = (query: string, headers = {}) =>
    fetch(`${server.url}/graphql?query=${encodeURIComponent(query)}`, { headers });
  await expectError(await get('{ hello }'), 400, 'BAD_REQUEST');
  const preflighted = { 'apollo-require-preflight': '1' };
  expect(await (await get('{ hello }', preflighted)).json()).toMatchObject({ data: { hello: 'world' } });
  const mutation = await get('mutation { touch }', preflighted);
  expect(mutation.headers.get('allow')).toBe('POST');
  await expectError(mutation, 405, 'BAD_REQUEST');
  expect(server.calls).not.toContain('touch');
});

test.each(['PUT', 'PATCH', 'DELETE'])('%s is 405 with what is allowed', async (method) => {
  const response = await fetch(`${server.url}/graphql`, { method });
  expect(response.headers.get('allow')).toBe('GET, POST');
  await expectError(response, 405, 'BAD_REQUEST');
});

test('an unknown address is 404 as JSON', async () => {
  await expectError(await fetch(`${server.url}/nothing`), 404, 'NOT_FOUND');
});

test('what is not HTTP gets JSON too', async () => {
  const answer = await new Promise<string>((resolve, reject) => {
    const socket = connect(Number(new URL(server.url).port), '127.0.0.1', () => socket.write('HELLO\r\n\r\n'));
    let text = '';
    socket.on('data', (chunk) => (text += String(chunk)));
    socket.on('close', () => resolve(text)).on('error', reject);
  });
  expect(answer).toMatch(/^HTTP\/1.1 400 Bad Request\r\ncontent-type: application\/json/);
});

test('the request id comes back, unless it is not one', async () => {
  const idOf = async (given: string) =>
    (await server.ask('{ hello }', {}, { 'x-request-id': given })).headers.get('x-request-id');
  expect(await idOf('my-request_1')).toBe('my-request_1');
  expect(await idOf('short')).toMatch(/^[0-9a-f-]{36}$/);
  expect(await idOf('with spaces and more')).toMatch(/^[0-9a-f-]{36}$/);
});

test('a bad token is 401 even for a document that is wrong', async () => {
  const response = await server.post({ query: '{ no such' }, { authorization: 'Bearer wrong' });
  expect(response.headers.get('www-authenticate')).toBe('Bearer');
  await expectError(response, 401, 'UNAUTHENTICATED');
});

test('a field that needs a token makes the answer 401', async () => {
  const answer = await server.ask('{ hello me }');
  expect(answer).toMatchObject({ status: 401, errors: [{ path: ['me'], extensions: { code: 'UNAUTHENTICATED' } }] });
  expect(answer.headers.get('www-authenticate')).toBe('Bearer');
  expect(await server.ask('{ hello me }', {}, authorized)).toMatchObject({ status: 200, data: { me: 'API_KEY' } });
});

test('the idempotency header goes with one mutation field only', async () => {
  const key = { 'idempotency-key': 'k1' };
  expect(await server.ask('mutation { touch }', {}, key)).toMatchObject({
    data: { touch: '1' },
    extensions: { idempotency: [{ path: ['touch'], replayed: true }] },
  });
  const two =
    'mutation ($no: Boolean = false) { ...F b: touch c: touch @include(if: $no) } fragment F on Mutation { touch }';
  expect(await server.ask(two)).toMatchObject({ status: 200, data: { touch: '2', b: '2' } });
  const calls = server.calls.length;
  const refused = { status: 400, errors: [{ extensions: { code: 'BAD_REQUEST' } }] };
  expect(await server.ask(two, {}, key)).toMatchObject(refused);
  expect(server.calls.length).toBe(calls);
});

test('a conflict of keys is 409 when it is the only mutation field', async () => {
  expect(await server.ask('mutation { conflict }')).toMatchObject({
    status: 409,
    errors: [{ extensions: { code: 'IDEMPOTENCY_CONFLICT' } }],
  });
  expect((await server.ask('mutation { conflict touch }')).status).toBe(200);
});

test('production hides suggestions, and the schema from those without a token', async () => {
  expect(JSON.stringify((await server.ask('{ hell }')).errors)).toContain('Did you mean');
  const hidden = await production.ask('{ hell thing { nam } }');
  expect(hidden.status).toBe(400);
  expect(JSON.stringify(hidden.errors)).not.toContain('Did you mean');

  expect((await server.ask(introspection)).status).toBe(200);
  expect(await production.ask(`{ ...F } fragment F on Query { s: __type(name: "Thing") { name } }`)).toMatchObject({
    status: 400,
    errors: [{ extensions: { code: 'INTROSPECTION_DISABLED' } }],
  });
  expect(await production.ask(introspection, {}, authorized)).toMatchObject({ status: 200 });
  for (const path of ['/graphiql', '/schema.graphql']) expect((await fetch(production.url + path)).status).toBe(404);
  expect((await fetch(`${production.url}/graphql`, { headers: { accept: 'text/html' } })).status).toBe(400);
});

test('development serves Sandbox and the SDL', async () => {
  const page = await fetch(`${server.url}/graphql`, { headers: { accept: 'text/html,*/*;q=0.8' } });
  expect(page.headers.get('content-type')).toContain('text/html');
  expect(await page.text()).toContain('Apollo Server');
  expect(await (await fetch(`${server.url}/schema.graphql`)).text()).toContain('type Thing {');
});

test('browsers of allowed origins may send all documented headers and read the limits', async () => {
  const preflight = (url: string, origin: string) =>
    fetch(`${url}/graphql`, {
      method: 'OPTIONS',
      headers: { origin, 'access-control-request-method': 'POST', 'access-control-request-headers': 'auth-key' },
    });
  const allowed = await preflight(server.url, 'http://localhost:5173');
  expect(allowed.status).toBe(204);
  expect(allowed.headers.get('access-control-allow-origin')).toBe('http://localhost:5173');
  expect(allowed.headers.get('access-control-allow-credentials')).toBeNull();
  const headers =
    'Authorization X-Api-Key Auth-Key Brand-URL Idempotency-Key X-Idempotency-Key X-Actor X-Request-Id Content-Type';
  for (const name of [...headers.split(' '), 'Apollo-Require-Preflight', 'x-apollo-operation-name']) {
    expect(allowed.headers.get('access-control-allow-headers')).toContain(name);
  }
  const answer = await server.ask('{ hello }', {}, { origin: 'https://studio.apollographql.com' });
  expect(answer.headers.get('access-control-allow-origin')).toBe('https://studio.apollographql.com');
  expect(answer.headers.get('access-control-expose-headers')).toMatch(/RateLimit-Limit.*Retry-After.*X-Request-Id/);
  for (const [url, origin] of [
    [server.url, 'https://evil.example'],
    [server.url, 'http://localhost.evil.example'],
    [production.url, 'http://localhost:5173'],
  ] as const) {
    expect((await preflight(url, origin)).headers.get('access-control-allow-origin')).toBeNull();
  }
});

test('answers carry the headers that browsers heed', async () => {
  const { headers } = await server.ask('{ hello }');
  expect(headers.get('x-content-type-options')).toBe('nosniff');
  expect(headers.get('content-security-policy')).toBe("frame-ancestors 'none'");
  expect(headers.get('referrer-policy')).toBe('no-referrer');
  expect(headers.get('cache-control')).toBe('no-store');
});

test('probes and metrics answer', async () => {
  expect(await (await fetch(`${server.url}/livez`)).json()).toEqual({ status: 'ok' });
  expect(await (await fetch(`${server.url}/readyz`)).json()).toEqual({ status: 'ok' });
  await server.ask('{ hello }');
  const metrics = await (await fetch(`${server.url}/metrics`)).text();
  expect(metrics).toMatch(/latchkey_http_requests_total\{method="POST",route="\/graphql",status="200"\} \d+/);
  expect(metrics).toMatch(/latchkey_graphql_operations_total\{type="query",outcome="ok",way="apollo"\} \d+/);
  expect(metrics).toContain('latchkey_graphql_operation_duration_seconds_bucket');
  expect(metrics).toContain('process_cpu_seconds_total');
});

test('the log has one line a request and no secret', async () => {
  server.lines.splice(0);
  await server.post(
    { query: 'query Named($x: ID!) { things(ids: [$x]) { id } }', variables: { x: 's3cret' } },
    authorized,
  );
  await fetch(`${server.url}/graphql?query=s3cret`, { headers: { authorization: 'Bearer s3cret' } });
  await fetch(`${server.url}/graphql`, { method: 'POST', headers: json, body: '{"query": s3cret' });
  expect(server.lines.filter((line) => line.msg === 'request')).toMatchObject([
    {
      ...{ method: 'POST', path: '/graphql', status: 200, ms: expect.any(Number), requestId: expect.any(String) },
      ...{ principal: `key:${validToken}`, operationName: 'Named', operationType: 'query', outcome: 'ok' },
    },
    { method: 'GET', path: '/graphql', status: 401, principal: null },
    { method: 'POST', path: '/graphql', status: 400, principal: null },
  ]);
  expect(JSON.stringify(server.lines)).not.toContain('s3cret');
});
