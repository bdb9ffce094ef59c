import { newId } from '../kernel/id.js';
import { tenantOf } from '../kernel/requestContext.js';
import type { SqlTx } from '../kernel/transaction.js';
import type { Terms } from './terms.js';

/** A step: a version of an SLA definition; buffered. @returns its id */
export function addVersion(tx: SqlTx, slaDefinitionId: string, number: number, terms: Terms): string {
  const id = newId();
  const version = { ...tenantOf(tx.ctx), id, slaDefinitionId, number, ...terms, createdAt: tx.ctx.now };
  tx.insert('sla_definition_versions', version as never);
  return id;
}
