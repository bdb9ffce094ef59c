import type { GraphQLResolveInfo } from 'graphql';
import { isRetryableConflict } from '../kernel/databaseError.js';
import { IdempotentReplay } from '../kernel/idempotency.js';
import { Refusal, type UserErrorData } from '../kernel/refusal.js';
import type { RequestContext } from '../kernel/requestContext.js';
import { idempotencyFingerprint, idempotencyKeyOf, idempotencyNamespace, oneAtATime } from './idempotency.js';
import type { ToolkitContext } from './toolkitContext.js';

/** What a payload's resolvers start from: the use case's ids and scalars, or none of them and why. */
export type Payload<Refs extends object> =
  (Refs & { userErrors: [] }) | ({ [Name in keyof Refs]?: undefined } & { userErrors: readonly UserErrorData[] });

/** How a mutation treats its idempotency key. */
export interface MutationOptions {
  /** Keep the key for ever, not for 24 hours. */
  movesMoney?: boolean;
  /** Fields of the result that are shown once: kept encrypted for the retry. */
  secretFields?: readonly string[];
  /** For mutations that need no token: what sets one caller's idempotency keys apart from another's, beside the brand. */
  holderOf?: (ctx: RequestContext, input: never) => string;
}

const ATTEMPTS = 4;

/**
 * Makes a use case a mutation's resolver: the only place that turns refusals into `userErrors`, tries again after a conflict
 * of transactions, and answers a repeated call from its record.
 */
export function mutation<Input extends object, Refs extends object>(
  useCase: (ctx: RequestContext, input: Input) => Promise<Refs>,
  options: MutationOptions = {},
) {
  return async (
    _parent: unknown,
    { input }: { input: Input },
    context: ToolkitContext,
    info: GraphQLResolveInfo,
  ): Promise<Payload<Refs>> => {
    try {
      const refs = await perform(useCase, options, input, context, info);
      return { ...refs, userErrors: [] };
    } catch (error) {
      if (error instanceof Refusal) return { userErrors: error.errors } as Payload<Refs>;
      throw error;
    } finally {
      context.renewLoaders();
    }
  };
}

async function perform<Input extends object, Refs extends object>(
  useCase: (ctx: RequestContext, input: Input) => Promise<Refs>,
  options: MutationOptions,
  input: Input,
  context: ToolkitContext,
  info: GraphQLResolveInfo,
): Promise<Refs> {
  const key = idempotencyKeyOf(context, (input as { idempotencyKey?: string | null }).idempotencyKey);
  if (key === null) return retrying(() => useCase(context.request, input));
  const idempotency = {
    namespace: idempotencyNamespace(context.request.viewer, () => options.holderOf?.(context.request, input as never)),
    key,
    mutation: info.fieldName,
    fingerprint: idempotencyFingerprint(info.fieldName, input, context.request.viewer),
    forever: options.movesMoney ?? false,
    secretFields: options.secretFields ?? [],
  };
  const path = [info.path.key];
  return oneAtATime(`${idempotency.namespace}\n${key}`, async () => {
    try {
      const refs = await retrying(() => useCase({ ...context.request, idempotency }, input));
      context.idempotency.push({ path, replayed: false });
      return refs;
    } catch (error) {
      if (!(error instanceof IdempotentReplay)) throw error;
      context.idempotency.push({ path, replayed: true });
      return error.result as Refs;
    }
  });
}

/** Runs the whole transaction again when it lost against another one; three times, then the fault stands. */
async function retrying<Result>(work: () => Promise<Result>): Promise<Result> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await work();
    } catch (error) {
      if (attempt >= ATTEMPTS || !isRetryableConflict(error)) throw error;
    }
  }
}
