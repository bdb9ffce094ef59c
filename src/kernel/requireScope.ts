import type { Scope } from '../generated/graphql.js';
import { ClientError } from './clientError.js';
import type { RequestContext } from './requestContext.js';

/**
 * Turns away an API key without a scope that only some inputs of a field need, as `@auth` does for those that all need. Call it
 * before the transaction: nothing is replayed to a caller who may no longer.
 * @throws ClientError FORBIDDEN
 */
export function requireScope({ viewer }: RequestContext, scope: Scope): void {
  if (viewer.principal !== 'API_KEY' || viewer.scopes.has(scope)) return;
  throw new ClientError('FORBIDDEN', `The API key lacks ${scope}.`, { requiredScopes: [scope] });
}
