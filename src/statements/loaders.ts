import DataLoader from 'dataloader';
import { loadOne, loadPage } from '../graphql/batching.js';
import { tenantOf, type RequestContext } from '../kernel/requestContext.js';
import { readerOf } from '../kernel/transaction.js';
import { readCharges, type AttachedRule, type KeyCharges } from '../pricing/readCharges.js';
import { statementList } from './listStatements.js';
import { ruleHistory } from './ruleHistory.js';
import { slaCreditsByStatement } from './slaCredits.js';

/** Statements by id and product key, what charges product keys, and what did. */
export function statementLoaders(ctx: RequestContext) {
  return {
    productKeyStatementById: loadOne(ctx, 'ProductKeyStatement'),
    statementsByProductKey: loadPage(ctx, 'productKeyId', statementList),
    slaCreditsByStatement: slaCreditsByStatement(ctx),
    chargesByProductKey: new DataLoader<string, KeyCharges>(async (ids) => {
      const found = await readCharges(readerOf(ctx), ids, null);
      return ids.map((id) => found.get(id) as KeyCharges);
    }),
    ruleHistoryByProductKey: new DataLoader<string, AttachedRule[]>((ids) =>
      ruleHistory(readerOf(ctx), tenantOf(ctx), ids),
    ),
  };
}
