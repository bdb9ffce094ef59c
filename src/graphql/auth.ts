import {
  defaultFieldResolver,
  getDirectiveValues,
  isNonNullType,
  isObjectType,
  type GraphQLField,
  type GraphQLSchema,
} from 'graphql';
import type { Principal, Scope } from '../generated/graphql.js';
import { ClientError } from '../kernel/clientError.js';
import type { Viewer } from '../kernel/viewer.js';
import { checkInput, type ListLimits } from './checkInput.js';
import type { ToolkitContext } from './toolkitContext.js';

interface AuthRule {
  readonly scopes: Scope[];
  readonly principals: Principal[];
}

/**
 * Puts `@auth` in front of the resolvers, and the check of arguments behind it. Fails closed.
 * @throws Error naming the coordinate when a root field has no `@auth`, or a guarded field below the root is not nullable
 */
export function enforceAuth(schema: GraphQLSchema, limits: ListLimits): void {
  const directive = schema.getDirective('auth');
  if (!directive) throw new Error('the schema has no @auth');
  const roots = new Set([schema.getQueryType(), schema.getMutationType(), schema.getSubscriptionType()]);
  for (const type of Object.values(schema.getTypeMap())) {
    if (!isObjectType(type) || type.name.startsWith('__')) continue;
    for (const field of Object.values(type.getFields())) {
      const rule = field.astNode ? (getDirectiveValues(directive, field.astNode) as AuthRule | undefined) : undefined;
      const coordinate = `${type.name}.${field.name}`;
      if (roots.has(type)) guardRootField(field as Field, rule, coordinate, limits);
      else guardInnerField(field as Field, rule, coordinate, limits);
    }
  }
}

type Field = GraphQLField<unknown, ToolkitContext>;

function guardRootField(field: Field, rule: AuthRule | undefined, coordinate: string, limits: ListLimits): void {
  if (!rule) throw new Error(`${coordinate} has no @auth; say who may call it`);
  const resolve = field.resolve;
  if (!resolve) throw new Error(`${coordinate} has no resolver`);
  field.resolve = (parent, args, context, info) => {
    const denial = denialOf(rule, context.request.viewer);
    if (denial) throw denial;
    checkInput(args, '', limits);
    return resolve(parent, args, context, info);
  };
}

function guardInnerField(field: Field, rule: AuthRule | undefined, coordinate: string, limits: ListLimits): void {
  if (rule && isNonNullType(field.type)) throw new Error(`${coordinate} has @auth and must therefore be nullable`);
  if (!rule && field.args.length === 0) return;
  const resolve = field.resolve ?? defaultFieldResolver;
  field.resolve = (parent, args, context, info) => {
    const denial = rule && denialOf(rule, context.request.viewer);
    if (denial) {
      // One error for the coordinate says it; one for each row would only repeat it.
      if (context.denied.has(coordinate)) return null;
      context.denied.add(coordinate);
      throw denial;
    }
    checkInput(args, '', limits);
    return resolve(parent, args, context, info);
  };
}

/** Why a viewer may not; null when it may. Sessions and the operator carry no scopes: for them the principal decides. */
function denialOf(rule: AuthRule, viewer: Viewer): ClientError | null {
  if (!(rule.principals as string[]).includes(viewer.principal)) {
    if (viewer.principal === 'PUBLIC') {
      return new ClientError('UNAUTHENTICATED', 'Give a token: `Authorization: Bearer <token>`.');
    }
    return new ClientError('FORBIDDEN', `This is not for ${viewer.principal} callers.`);
  }
  if (viewer.principal !== 'API_KEY') return null;
  const missing = rule.scopes.filter((scope) => !viewer.scopes.has(scope));
  if (missing.length === 0) return null;
  return new ClientError('FORBIDDEN', `The API key lacks ${missing.join(', ')}.`, { requiredScopes: rule.scopes });
}
