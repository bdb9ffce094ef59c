import type { Database } from './database.js';
import type { IdempotencyClaim } from './idempotency.js';
import type { Keyring } from './secret.js';
import type { Mode, TenantViewer, Viewer } from './viewer.js';

/** What every use case gets: who calls, when, and where the data is. Frozen for the length of one request or job. */
export interface RequestContext {
  readonly db: Database;
  readonly viewer: Viewer;
  /** The only clock: rules never ask the system. Millisecond precision. */
  readonly now: Date;
  readonly requestId: string;
  /** The human behind an API key (`X-Actor`), for the history. */
  readonly actor: string | null;
  readonly keyring: Keyring;
  /** Where mails are kept as files, because no mail server is configured; null: they are sent. */
  readonly mailFolder: string | null;
  /** How many unknown license keys and discount codes the caller may still ask for; null: any number. */
  readonly guesses: GuessAllowance | null;
  /** Set by the mutation wrapper when the caller gave an idempotency key; claimed by the first statement of the transaction. */
  readonly idempotency: IdempotencyClaim | null;
}

/** What a caller may still guess. A key or code is paid for before it is looked up, and the price comes back when it is known. */
export interface GuessAllowance {
  /** @throws ClientError RATE_LIMITED when there are not so many left; none is taken then */
  take(count: number): void;
  giveBack(count: number): void;
}

/** The tenant that every `where` carries. */
export interface Tenant {
  readonly businessId: string;
  readonly mode: Mode;
}

/**
 * The caller as a member of a business. `@auth` has already turned others away, so anybody else here is a fault of ours.
 * @throws Error when the field's `@auth` lets in a caller without a business
 */
export function tenantViewer(ctx: RequestContext): TenantViewer {
  if (ctx.viewer.principal === 'PUBLIC' || ctx.viewer.principal === 'OPERATOR') {
    throw new Error(`a ${ctx.viewer.principal} caller has no business`);
  }
  return ctx.viewer;
}

/** Business and mode of the caller, as the two columns that every table of a tenant starts with. */
export function tenantOf(ctx: RequestContext): Tenant {
  const { businessId, mode } = tenantViewer(ctx);
  return { businessId, mode };
}
