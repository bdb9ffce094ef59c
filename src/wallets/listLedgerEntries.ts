import type { WalletLedgerEntriesArgs } from '../generated/graphql.js';
import { isWithin, type Condition } from '../kernel/condition.js';
import type { ListSpec } from '../kernel/page.js';
import type { RequestContext } from '../kernel/requestContext.js';
import { scopeOf } from '../kernel/tenancy.js';

/** What the arguments of a wallet's `ledgerEntries` mean. */
export function ledgerEntryList(
  ctx: RequestContext,
  { where, orderBy }: WalletLedgerEntriesArgs,
): ListSpec<'LedgerTransfer'> {
  const conditions: Condition[] = [];
  const isCredit = where?.isCredit;
  if (isCredit != null) conditions.push((place) => `t.is_credit = ${place(isCredit)}`);
  if (where?.createdAt) conditions.push(...isWithin('t.created_at', where.createdAt));
  const direction = orderBy?.direction ?? 'DESC';
  return {
    model: 'LedgerTransfer',
    scope: scopeOf(ctx, 'LedgerTransfer'),
    conditions,
    order: { name: 'SEQUENCE', expression: 't.wallet_sequence', type: 'bigint', direction },
  };
}
