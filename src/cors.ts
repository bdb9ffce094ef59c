import cors from '@fastify/cors';
import type { FastifyInstance, onRequestHookHandler } from 'fastify';
import type { Config } from './config.js';

/** Which pages may call from a browser: the configured origins; in development, when there are none, localhost and Apollo's sandboxes. */
function corsOptions(config: Config) {
  const development = [
    /^https?:\/\/(localhost|127\.0\.0\.1|\[::1\])(:\d+)?$/,
    'https://sandbox.embed.apollographql.com',
  ];
  const studio = 'https://studio.apollographql.com';
  const everybody = config.corsOrigins.includes('*');
  const byDefault = config.production ? [] : [...development, studio];
  return {
    origin: everybody ? '*' : config.corsOrigins.length > 0 ? [...config.corsOrigins] : byDefault,
    methods: ['GET', 'POST', 'OPTIONS'],
    allowedHeaders: [
      ...['Authorization', 'X-Api-Key', 'Auth-Key', 'Brand-URL', 'Idempotency-Key', 'X-Idempotency-Key', 'X-Actor'],
      ...['X-Request-Id', 'Content-Type', 'Apollo-Require-Preflight', 'x-apollo-operation-name'],
    ],
    exposedHeaders: [
      ...[
        'RateLimit-Limit',
        'RateLimit-Remaining',
        'RateLimit-Reset',
        'Retry-After',
        'X-Request-Id',
        'WWW-Authenticate',
      ],
    ],
    maxAge: 600,
    strictPreflight: false,
  };
}

/**
 * Lets browsers in by the configured origins. Only they send `Origin`: a POST without one, as of programs that check a key, is spared
 * what `@fastify/cors` does for each request. A GET is not: its answer may be kept for a browser, and says that it varies.
 */
export async function registerCors(app: FastifyInstance, config: Config): Promise<void> {
  const addHook = (name: 'onRequest', hook: onRequestHookHandler) =>
    app.addHook(name, (request, reply, done) => {
      if (request.headers.origin === undefined && request.method === 'POST') done();
      else hook.call(app, request, reply, done);
    });
  const forBrowsers = Object.create(app, { addHook: { value: addHook } }) as FastifyInstance;
  await new Promise<void>((resolve, reject) => {
    cors(forBrowsers, corsOptions(config), (error) => (error ? reject(error) : resolve()));
  });
}
