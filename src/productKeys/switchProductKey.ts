import type { ProductKey } from '../generated/prisma/client.js';
import type { SqlTx } from '../kernel/transaction.js';
import { changeProductKey } from './changeProductKey.js';
import { byClock } from './life.js';
import { noticeOwner } from './notices.js';

/** A step: switches a locked key off that is not, and tells its owner. */
export async function switchOff(
  tx: SqlTx,
  key: ProductKey,
  { by, reason }: { by: 'MANUAL' | 'PAYMENT'; reason: string | null },
): Promise<ProductKey> {
  await noticeOwner(tx, key, 'product-key-disabled');
  const change = { status: 'DISABLED', disabledAt: tx.ctx.now, disabledBy: by, disabledReason: reason } as const;
  return changeProductKey(tx, key, change, { type: 'product_key.disabled', reason });
}

/** A step: switches a locked key on that was disabled: to what the clock gives. */
export async function switchOn(tx: SqlTx, key: ProductKey, reason: string | null): Promise<ProductKey> {
  const change = { status: byClock(key, tx.ctx.now), disabledAt: null, disabledBy: null, disabledReason: null };
  return changeProductKey(tx, key, change, { type: 'product_key.enabled', reason });
}
