import { randomBytes } from 'node:crypto';
import { cursorMark, cursorText } from '../../src/kernel/cursor.js';
import { hmacSecret } from '../loadWorld.js';
import { documents } from '../workloads.js';
import { startNode, type BenchServer } from './server.js';

/** One for all processes, since they share a database. */
const encryptionKey = `bench:${randomBytes(32).toString('base64')}`;

interface RowPlace {
  readonly businessId: string;
  readonly createdAt: Date;
  readonly id: string;
}

/** The cursor that Latchkey itself gives for a license in the list of all of them, the newest first. */
function cursorOf({ businessId, createdAt, id }: RowPlace): string {
  const mark = cursorMark(['License', { business_id: businessId, mode: 'LIVE' }, 'CREATED_AT', 'DESC', null]);
  return cursorText(mark, { key: createdAt.toISOString(), id });
}

/** As `npm start` has it. */
const asShipped = ['--max-semi-space-size=32'];

/** Latchkey as it is run in production, with everything on; only its rate limits are raised. */
export const latchkey: BenchServer = {
  name: 'latchkey',
  start: (options) =>
    startNode(
      'dist/src/main.js',
      '/readyz',
      { ...options, nodeArguments: [...asShipped, ...options.nodeArguments] },
      {
        DATABASE_URL: options.databaseUrl,
        HOST: '127.0.0.1',
        PORT: String(options.port),
        LATCHKEY_ROLE: 'api',
        LATCHKEY_HMAC_KEYS: `bench:${hmacSecret.toString('base64')}`,
        LATCHKEY_ENCRYPTION_KEYS: encryptionKey,
        LATCHKEY_RATE_TOKEN_CAPACITY: '1000000000',
        LATCHKEY_RATE_IP_CAPACITY: '1000000000',
        LATCHKEY_RATE_KEYS_CAPACITY: '1000000000',
      },
    ),
  request: (operation, { cursor, ...variables }) => ({
    path: '/graphql',
    body: {
      query: documents[operation],
      variables: cursor ? { ...variables, after: cursorOf(cursor as RowPlace) } : variables,
    },
  }),
};
