import { randomUUID } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createBusiness } from '../src/accounts/createBusiness.js';
import { allScopes } from '../src/accounts/scopes.js';
import type { Database } from '../src/kernel/database.js';
import { globalId } from '../src/kernel/id.js';
import type { RequestContext } from '../src/kernel/requestContext.js';
import type { Keyring } from '../src/kernel/secret.js';
import type { Mode, Viewer } from '../src/kernel/viewer.js';
import { seedCatalog } from './seedCatalog.js';
import { seedCustomers } from './seedCustomers.js';

/** What seeding needs: an embedded database, and its data folder. */
export interface SeedParts {
  readonly db: Database;
  readonly keyring: Keyring;
  readonly dataDir: string;
  /** Where mails are kept while there is no mail server. */
  readonly mailFolder: RequestContext['mailFolder'];
}

const brandUrl = 'shop.polaris.example';

/** Where a demo vendor's keys and ids stand, once it was made. */
export function demoFile(dataDir: string): string {
  return join(dataDir, 'demo.json');
}

/**
 * Makes the demo vendor: a small believable world, by the use cases that everybody else calls. Only in a database without any
 * business, so never twice, and never beside somebody's own data.
 * @returns whether it was made by this call; its tokens and ids are in `demo.json` then, readable by its owner only
 */
export async function seedDemo({ dataDir, ...parts }: SeedParts): Promise<boolean> {
  if (await parts.db.prisma.business.findFirst({ select: { id: true } })) return false;
  const { businessId, liveToken, testToken } = await createBusiness(contextOf(parts, { principal: 'OPERATOR' }), {
    name: 'Polaris Software',
    brandUrl,
    brandName: 'Polaris Shop',
  });
  const demo = { business: globalId('Business', businessId), brandUrl, live: liveToken, test: testToken };
  // The tokens are shown once: they are kept before anything else can fail.
  keep(dataDir, demo);
  const live = contextOf(parts, await viewerOf(parts.db, businessId, 'LIVE'));
  const test = contextOf(parts, await viewerOf(parts.db, businessId, 'TEST'));
  const catalog = await seedCatalog(live);
  const [liveData, testData] = await Promise.all([seedCustomers(live, catalog), seedCustomers(test, catalog)]);
  keep(dataDir, { ...demo, catalog, liveData, testData });
  return true;
}

/**
 * Notes down where the server with the demo vendor is, for `npm run demo`.
 * @returns whether there is a demo vendor
 */
export function keepDemoUrl(dataDir: string, url: string): boolean {
  const file = demoFile(dataDir);
  try {
    const demo = JSON.parse(readFileSync(file, 'utf8')) as object;
    keep(dataDir, { ...demo, url });
    return true;
  } catch {
    return false;
  }
}

function keep(dataDir: string, demo: object): void {
  writeFileSync(demoFile(dataDir), `${JSON.stringify(demo, null, 2)}\n`, { mode: 0o600 });
}

function contextOf(parts: Omit<SeedParts, 'dataDir'>, viewer: Viewer): RequestContext {
  return {
    ...parts,
    viewer,
    now: new Date(),
    requestId: randomUUID(),
    actor: 'Demo',
    guesses: null,
    idempotency: null,
  };
}

/** The business's own program, by the first API key of the mode. */
async function viewerOf(db: Database, businessId: string, mode: Mode): Promise<Viewer> {
  const { id } = await db.prisma.apiKey.findFirstOrThrow({ where: { businessId, mode } });
  return { principal: 'API_KEY', businessId, mode, apiKeyId: id, scopes: new Set(allScopes), brandId: null };
}
