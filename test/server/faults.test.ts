import { expect, test } from '@jest/globals';
import { GraphQLError } from 'graphql';
import { ClientError } from '../../src/kernel/clientError.js';
import { startServer } from './startServer.js';

const failures: Record<string, unknown> = {
  bug: new Error('relation "secret_table" does not exist at /srv/app/db.ts'),
  unique: Object.assign(new Error('duplicate key'), { code: 'P2002', meta: { target: ['secret_column'] } }),
  known: new GraphQLError('There is no such brand.', { extensions: { code: 'NOT_FOUND', hint: 'x' } }),
  impostor: Object.assign(new Error('secret_inside'), { extensions: { code: 'NOT_FOUND' } }),
  client: new ClientError('FORBIDDEN', 'The API key lacks X.', { requiredScopes: ['X'] }),
  codeless: new GraphQLError('secret_value is no DateTime'),
  refused: Object.assign(new Error('connect ECONNREFUSED 10.0.0.1:5432'), { code: 'ECONNREFUSED' }),
  shutdown: Object.assign(new Error('terminating connection'), { code: '57P01' }),
  broken: Object.assign(new Error('broken'), { code: '08006' }),
  pool: new Error('timeout exceeded when trying to connect'),
  lost: new Error('Connection terminated unexpectedly'),
  silent: new Error('Query read timeout'),
  prisma: Object.assign(new Error('Can not reach'), { code: 'P1001' }),
  adapter: Object.assign(new Error('x'), {
    code: 'P2010',
    meta: { driverAdapterError: { cause: { originalCode: '57P03' } } },
  }),
  many: new AggregateError([Object.assign(new Error('x'), { code: 'ECONNREFUSED' })]),
  canceled: Object.assign(new Error('canceling statement due to statement timeout'), { code: '57014' }),
};

test('a fault is masked and logged with its request id and stack, without variables', async () => {
  const server = await startServer({ failures });
  try {
    const answer = await server.ask(
      'query ($w: String!) { hello fail(with: $w) }',
      { w: 'bug' },
      { 'x-request-id': 'request-1' },
    );
    expect(answer).toMatchObject({ status: 200, data: { hello: 'world', fail: null } });
    expect(answer.errors).toEqual([
      {
        message: 'Something went wrong on our side. Quote the request id when you report it.',
        locations: [{ line: 1, column: 29 }],
        path: ['fail'],
        extensions: { code: 'INTERNAL_SERVER_ERROR', requestId: 'request-1' },
      },
    ]);
    const fault = server.lines.find((line) => line.msg === 'fault in a request');
    expect(fault).toMatchObject({ level: 50, requestId: 'request-1', path: 'fail' });
    expect(fault?.err).toMatchObject({ message: expect.stringContaining('secret_table'), stack: expect.any(String) });
    for (const name of ['bug', 'unique', 'impostor', 'codeless', 'refused']) {
      const masked = await server.ask('query ($w: String!) { fail(with: $w) }', { w: name });
      expect(JSON.stringify(masked)).not.toMatch(/secret|P20|ECONN|10\.0\.0\.1|stack/);
    }
    expect((await server.ask('{ fail(with: "known") }')).errors).toMatchObject([
      {
        message: 'There is no such brand.',
        extensions: { code: 'NOT_FOUND', hint: 'x', requestId: expect.any(String) },
      },
    ]);
    expect((await server.ask('{ fail(with: "client") }')).errors).toMatchObject([
      { message: 'The API key lacks X.', extensions: { code: 'FORBIDDEN', requiredScopes: ['X'] } },
    ]);
    expect((await server.ask('query ($n: Int = 1) { page(size: $n) }', { n: null })).errors).toMatchObject([
      { extensions: { code: 'BAD_USER_INPUT' } },
    ]);
  } finally {
    await server.close();
  }
});

test('a database that is away is UNAVAILABLE, and a statement that was stopped a timeout', async () => {
  const server = await startServer({ failures });
  try {
    for (const name of ['refused', 'shutdown', 'broken', 'pool', 'lost', 'silent', 'prisma', 'adapter', 'many']) {
      const answer = await server.ask(`{ hello fail(with: "${name}") }`);
      expect([name, answer]).toMatchObject([
        name,
        { status: 503, errors: [{ extensions: { code: 'UNAVAILABLE', retryable: true } }] },
      ]);
      expect(answer.headers.get('retry-after')).toBe('1');
    }
    expect(await server.ask('{ fail(with: "canceled") }')).toMatchObject({
      status: 504,
      errors: [{ extensions: { code: 'REQUEST_TIMEOUT' } }],
    });
  } finally {
    await server.close();
  }
});

test('a request that outlives its deadline is answered 504', async () => {
  const server = await startServer({ env: { LATCHKEY_LIMIT_REQUEST_MS: '50' } });
  try {
    expect(await server.ask('{ wait }')).toMatchObject({
      status: 504,
      errors: [{ extensions: { code: 'REQUEST_TIMEOUT', requestId: expect.any(String) } }],
      extensions: { cost: { requested: 0 } },
    });
    server.release();
  } finally {
    await server.close();
  }
});
