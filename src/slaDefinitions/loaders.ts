import { loadOne, loadPage } from '../graphql/batching.js';
import type { RequestContext } from '../kernel/requestContext.js';
import { slaVersionList } from './listSlaDefinitions.js';

/** SLA definitions and their versions by id, and the versions of a definition. */
export function slaDefinitionLoaders(ctx: RequestContext) {
  return {
    slaDefinitionById: loadOne(ctx, 'SlaDefinition'),
    slaVersionById: loadOne(ctx, 'SlaDefinitionVersion'),
    versionsBySlaDefinition: loadPage(ctx, 'slaDefinitionId', slaVersionList),
  };
}
