import type { Resolvers } from '../generated/graphql.js';
import { found } from '../graphql/fields.js';
import { mutation } from '../graphql/mutation.js';
import { globalId } from '../kernel/id.js';
import { correctUsage } from './correctUsage.js';
import { recordUsage } from './recordUsage.js';
import { recordUsages } from './recordUsages.js';
import type { UsageReceipt } from './usage.js';

const quotaOf = ({ quota }: UsageReceipt) => (quota === null ? null : BigInt(quota));

/** What was used beyond the quota; negative while some of it is left. */
const beyond = ({ consumed, quota }: UsageReceipt) => (quota === null ? null : BigInt(consumed) - BigInt(quota));

export const usageResolvers = {
  Mutation: {
    recordUsage: mutation(recordUsage),
    recordUsages: mutation(recordUsages),
    correctUsage: mutation(correctUsage, { movesMoney: true }),
  },
  ProductKey: {
    usage: ({ id }, args, { loaders }) => loaders.usageByProductKey.load({ productKeyId: id, args }),
  },
  RecordedUsage: {
    productKeyId: ({ productKeyId }) => globalId('ProductKey', productKeyId),
    productKey: ({ productKeyId }, _, { loaders }) => found(loaders.productKeyById, productKeyId),
    amount: ({ amount }) => BigInt(amount),
    occurredAt: ({ occurredAt }) => new Date(occurredAt),
    consumedQuota: ({ consumed }) => BigInt(consumed),
    quota: quotaOf,
    remainingQuota: (usage) => (usage.quota === null ? null : -least(beyond(usage) ?? 0n, 0n)),
    overage: (usage) => -least(-(beyond(usage) ?? 0n), 0n),
    periodStart: ({ periodStartsAt }) => new Date(periodStartsAt),
    periodEnd: ({ periodEndsAt }) => (periodEndsAt === null ? null : new Date(periodEndsAt)),
  },
  // Refusals of a batch are kept with its idempotency key, in JSON, where an instant is a text.
  QuotaExceeded: { periodEnd: ({ periodEnd }) => (periodEnd ? new Date(periodEnd) : null) },
  UsagePeriodClosed: { periodStart: ({ periodStart }) => new Date(periodStart) },
  ProductKeyReplaced: { graceUntil: ({ graceUntil }) => new Date(graceUntil) },
  CorrectUsagePayload: {
    productKey: ({ productKeyId }, _, { loaders }) => found(loaders.productKeyById, productKeyId),
  },
} satisfies Resolvers;

function least(one: bigint, other: bigint): bigint {
  return one < other ? one : other;
}
