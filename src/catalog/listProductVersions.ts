import type { ProductVersionsArgs } from '../generated/graphql.js';
import { hasMetadata, isAnyOf, isWithin } from '../kernel/condition.js';
import type { ListSpec } from '../kernel/page.js';
import type { RequestContext } from '../kernel/requestContext.js';
import { scopeOf } from '../kernel/tenancy.js';
import { byCreation, hasIdIn, isArchivedOr } from './conditions.js';

/** What the arguments of a product's `versions` mean. */
export function productVersionList(
  ctx: RequestContext,
  { where, orderBy }: ProductVersionsArgs,
): ListSpec<'ProductVersion'> {
  const isPublished = where?.isPublished;
  return {
    model: 'ProductVersion',
    scope: scopeOf(ctx, 'ProductVersion'),
    conditions: [
      isArchivedOr(where?.isArchived),
      ...hasIdIn('id', 'ProductVersion', where?.id),
      ...(where?.name ? [isAnyOf('name', where.name.in, 'text')] : []),
      ...(isPublished == null ? [] : [() => `t.published_at IS ${isPublished ? 'NOT NULL' : 'NULL'}`]),
      ...(where?.publishedAt ? isWithin('t.published_at', where.publishedAt) : []),
      ...(where?.createdAt ? isWithin('t.created_at', where.createdAt) : []),
      ...(where?.metadata ? [hasMetadata(where.metadata)] : []),
    ],
    order:
      orderBy?.field === 'PUBLISHED_AT'
        ? {
            name: 'PUBLISHED_AT',
            // The expression of the migration's index.
            expression: "coalesce(t.published_at, 'infinity'::timestamptz)",
            type: 'timestamptz',
            direction: orderBy.direction ?? 'DESC',
          }
        : byCreation(orderBy?.direction),
  };
}
