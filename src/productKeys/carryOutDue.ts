import type { ProductKey } from '../generated/prisma/client.js';
import { asServer } from '../kernel/asServer.js';
import type { SqlTx } from '../kernel/transaction.js';
import { changeProductKey } from './changeProductKey.js';
import { byClock, hasEnded, nextDue, type DueEvent } from './life.js';
import { closeLast } from './lockMeters.js';
import { noticeOwner } from './notices.js';

/** More than can be due of one key: start, notice, the trial's end, the end. */
const MOST = 8;

/**
 * A step: writes what has become true of a locked product key by itself, as the worker would: each event by the server, dated with
 * its own instant. The notice of a trial that has ended meanwhile is left out.
 * @returns the key as it then is
 */
export async function carryOutDue(tx: SqlTx, stored: ProductKey): Promise<ProductKey> {
  let key = stored;
  for (let i = 0; i < MOST; i++) {
    const due = nextDue(key, tx.ctx.now);
    if (!due) return key;
    key = await carryOut(asServer(tx, due.at), key, due);
    // Its last statement is dated with when it is written: whoever polls for statements does not miss it.
    if (hasEnded(key.status)) key = await closeLast(tx, key);
  }
  throw new Error(`events of product key ${stored.id} stay due however often they are carried out`);
}

async function carryOut(tx: SqlTx, key: ProductKey, { kind, at }: DueEvent): Promise<ProductKey> {
  const write = (type: Parameters<typeof changeProductKey>[3]['type'], change: Partial<ProductKey>) =>
    changeProductKey(tx, key, change, { type, reason: null });
  switch (kind) {
    case 'CANCEL':
      return write('product_key.cancelled', { status: 'CANCELLED', cancelledAt: at });
    case 'EXPIRE':
      return write('product_key.expired', { status: 'EXPIRED', expiredAt: at });
    case 'TRIAL_NOTICE':
      await noticeOwner(tx, key, 'product-key-trial-expiring');
      return write('product_key.trial_expiring', { trialNotifiedAt: at });
    case 'START': {
      const status = byClock(key, at);
      return write(status === 'TRIALING' ? 'product_key.trial_started' : 'product_key.activated', { status });
    }
    case 'TRIAL_END':
      return write('product_key.activated', { status: 'ACTIVE' });
  }
}
