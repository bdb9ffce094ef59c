import { existsSync } from 'node:fs';
import { hmacSecret } from '../loadWorld.js';
import { documents, ofProductKeys, type Operation } from '../workloads.js';
import { reads } from './bare.js';
import { startNode, type BenchServer } from './server.js';

function peer(name: string, path: string, skips: readonly Operation[]): BenchServer {
  const file = `bench/peers/${name}.mjs`;
  return {
    name,
    start: (options) =>
      startNode(file, path, options, {
        DATABASE_URL: options.databaseUrl,
        PORT: String(options.port),
        READS: JSON.stringify(reads),
        HMAC_SECRET: hmacSecret.toString('base64'),
      }),
    request: (operation, { cursor, ...variables }) => ({
      path: '/graphql',
      body: {
        query: documents[operation],
        variables: cursor ? { ...variables, after: plainCursor(cursor as RowPlace) } : variables,
      },
    }),
    skips,
  };
}

/** Where a row stands in a list. */
interface RowPlace {
  readonly createdAt: Date;
  readonly id: string;
}

function plainCursor({ createdAt, id }: RowPlace): string {
  return Buffer.from(JSON.stringify([createdAt.toISOString(), id])).toString('base64url');
}

/** Apollo Server, Prisma, DataLoader. It has no product keys. */
const stock = peer('stock', '/?query=%7B__typename%7D', ofProductKeys);
/** Mercurius with JIT. It does not buy: what a purchase costs is its transaction, which would be the bare server's once more; nor has it product keys. */
const mercurius = peer('mercurius', '/ready', ['purchase', ...ofProductKeys]);

/** The peers that can run here, and of the others why they cannot. */
export function peersHere(): { peers: readonly BenchServer[]; absent: readonly string[] } {
  const node = Number(process.versions.node.split('.')[0]);
  const postgraphile =
    node < 22
      ? `postgraphile is left out: version 5 needs Node 22, this is ${process.version}`
      : 'postgraphile is left out: its answers have not been brought into the shape of the others yet';
  if (existsSync('bench/node_modules')) return { peers: [stock, mercurius], absent: [postgraphile] };
  return { peers: [], absent: ['the peers are left out: run `npm ci` in the folder bench'] };
}
