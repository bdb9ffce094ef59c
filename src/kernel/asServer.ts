import { tenantOf } from './requestContext.js';
import type { SqlTx } from './transaction.js';

/** The same transaction as the server itself acts in it: writing, dated with its own instant, what has come true by itself. */
export function asServer(tx: SqlTx, at: Date): SqlTx {
  const viewer = { principal: 'SYSTEM' as const, ...tenantOf(tx.ctx), brandId: null };
  return { ...tx, ctx: { ...tx.ctx, viewer, now: at, actor: null } };
}
