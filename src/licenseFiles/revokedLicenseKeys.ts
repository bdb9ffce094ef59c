import type { QueryRevokedLicenseKeysArgs } from '../generated/graphql.js';
import { ClientError } from '../kernel/clientError.js';
import { globalId } from '../kernel/id.js';
import type { RequestContext, Tenant } from '../kernel/requestContext.js';
import { inSqlTransaction, readerOf } from '../kernel/transaction.js';
import { keyHolder, modeAsked } from '../validation/keyHolder.js';
import { listType, readableUntil } from './licenseFile.js';
import { isListOutdated, readListPage, renewList, type ListPage } from './revocations.js';
import { sign } from './signingKey.js';
import { useSigningKey } from './useSigningKey.js';

/** A signed page, and what it says. */
export interface SignedListPage extends Pick<ListPage, 'since' | 'version' | 'complete'> {
  readonly list: string;
  readonly issuedAt: Date;
}

/**
 * The list of what was revoked before its files run out, or what changed of it. What is true now is written down first, so that
 * it has a version; nothing is written while nothing has changed.
 * @throws ClientError BRAND_NOT_FOUND, or BAD_USER_INPUT for `testMode` that differs from the token's
 */
export async function revokedLicenseKeys(
  ctx: RequestContext,
  { since, testMode }: QueryRevokedLicenseKeysArgs,
): Promise<SignedListPage> {
  const tenant = await tenantAsked(ctx, testMode);
  await upToDate(ctx, tenant);
  const page = await readListPage(readerOf(ctx), tenant, since ?? 0n);
  const issuedAt = ctx.now;
  const { list } = await inSqlTransaction(ctx, async (tx) => {
    const key = await useSigningKey(tx, tenant, readableUntil(issuedAt));
    const claims = claimsOf(tenant, page, issuedAt);
    return { list: await sign(ctx.keyring.encryption, tenant, key, { typ: listType, claims }) };
  });
  const { version, complete } = page;
  return { list, since: page.since, version, complete, issuedAt };
}

async function tenantAsked(ctx: RequestContext, testMode: boolean | null | undefined): Promise<Tenant> {
  const holder = await keyHolder(ctx);
  const mode = modeAsked(holder, testMode);
  if (mode) return { businessId: holder.businessId, mode };
  const message = '`testMode` differs from what the token is for. Leave it out, or use a token of the other mode.';
  throw new ClientError('BAD_USER_INPUT', message, { argument: 'testMode' });
}

function claimsOf({ businessId, mode }: Tenant, page: ListPage, issuedAt: Date): object {
  return {
    iss: globalId('Business', businessId),
    iat: Math.floor(issuedAt.getTime() / 1_000),
    testMode: mode === 'TEST',
    ...page,
    since: String(page.since),
    version: String(page.version),
    issuedAt: issuedAt.toISOString(),
  };
}

/** A tenant's list while this process brings it up to date: what runs, and what begins at its end for who has come since. */
interface Renewal {
  readonly running: Promise<void>;
  next: { ctx: RequestContext; readonly done: Promise<void> } | null;
}

const renewals = new Map<string, Renewal>();

/**
 * Brings the list of a tenant up to date, once at a time in this process. Who comes while that is being done waits for the next
 * time, which all who came share: the one that runs may have looked before what the caller has just done.
 */
function upToDate(ctx: RequestContext, tenant: Tenant): Promise<void> {
  const id = `${tenant.businessId}:${tenant.mode}`;
  const renewal = renewals.get(id);
  if (!renewal) return start(id, ctx, tenant);
  const { running, next } = renewal;
  if (next) {
    next.ctx = ctx;
    return next.done;
  }
  const done = running.catch(() => {}).then(() => start(id, renewal.next?.ctx ?? ctx, tenant));
  renewal.next = { ctx, done };
  return done;
}

function start(id: string, ctx: RequestContext, tenant: Tenant): Promise<void> {
  const renewal: Renewal = {
    next: null,
    running: renew(ctx, tenant).finally(() => {
      if (renewal.next === null) renewals.delete(id);
    }),
  };
  renewals.set(id, renewal);
  return renewal.running;
}

async function renew(ctx: RequestContext, tenant: Tenant): Promise<void> {
  if (!(await isListOutdated(readerOf(ctx), tenant))) return;
  await inSqlTransaction(ctx, async (tx) => {
    await renewList(tx, tenant);
    return {};
  });
}
