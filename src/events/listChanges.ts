import type { ListSpec, PageArgs } from '../kernel/page.js';
import type { RequestContext } from '../kernel/requestContext.js';
import { scopeOf } from '../kernel/tenancy.js';

/** An object's history, the newest first. */
export function changeList(ctx: RequestContext, _args: PageArgs): ListSpec<'Change'> {
  return {
    model: 'Change',
    scope: scopeOf(ctx, 'Change'),
    conditions: [],
    order: { name: 'SEQUENCE', expression: 't.sequence', type: 'integer', direction: 'DESC' },
  };
}
