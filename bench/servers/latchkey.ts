import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
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

/** Latchkey as it is run in production, with everything on; only its rate limits are raised. @param folder of a build; absent: this one */
export const latchkeyOf = (name: string, folder = ''): BenchServer => ({
  name,
  start: (options) =>
    startNode(
      join(folder, 'dist/src/main.js'),
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
});

export const latchkey = latchkeyOf('latchkey');
