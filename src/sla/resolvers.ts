import type DataLoader from 'dataloader';
import type { Resolvers } from '../generated/graphql.js';
import type { LedgerTransfer, Wallet } from '../generated/prisma/client.js';
import { found, idOf, required } from '../graphql/fields.js';
import { mutation } from '../graphql/mutation.js';
import { moneyOf } from '../kernel/money.js';
import { totalsOf } from '../productKeys/slaShares.js';
import { decimalOf } from '../slaDefinitions/measure.js';
import { penaltiesOf, targetOf } from '../slaDefinitions/terms.js';
import { attachSlaDefinition } from './attachSlaDefinition.js';
import { detachSlaDefinition } from './detachSlaDefinition.js';
import { recordSlaBreach } from './recordSlaBreach.js';
import { checkedPeriod } from './slaCompliance.js';

export const slaResolvers = {
  Mutation: {
    attachSlaDefinition: mutation(attachSlaDefinition),
    detachSlaDefinition: mutation(detachSlaDefinition),
    recordSlaBreach: mutation(recordSlaBreach, { movesMoney: true }),
  },
  ProductKey: {
    slas: async ({ id }, { includeDetached }, { loaders }) =>
      (await loaders.slasByProductKey.load(id)).filter(({ detachedAt }) => includeDetached || detachedAt === null),
    slaBreaches: ({ id }, args, { loaders }) => loaders.slaBreachesByProductKey.load({ parentId: id, args }),
    slaCompliance: ({ id }, period, { loaders }) => loaders.slaComplianceByProductKey.load(checkedPeriod(id, period)),
  },
  ProductKeySla: {
    definition: ({ slaDefinitionId }, _, { loaders }) => required(loaders.slaDefinitionById.load(slaDefinitionId)),
    version: ({ slaDefinitionVersionId }, _, { loaders }) =>
      required(loaders.slaVersionById.load(slaDefinitionVersionId)),
  },
  SlaBreach: {
    id: idOf('SlaBreach'),
    productKey: ({ productKeyId }, _, { loaders }) => found(loaders.productKeyById, productKeyId),
    definition: ({ slaDefinitionId }, _, { loaders }) => required(loaders.slaDefinitionById.load(slaDefinitionId)),
    definitionVersion: ({ slaDefinitionVersionId }, _, { loaders }) =>
      required(loaders.slaVersionById.load(slaDefinitionVersionId)),
    target: async ({ slaDefinitionVersionId, metric }, _, { loaders }) =>
      decimalOf(targetOf(await required(loaders.slaVersionById.load(slaDefinitionVersionId)), metric) ?? 0n),
    measured: ({ measured }) => decimalOf(measured),
    penalty: async ({ slaDefinitionVersionId, penaltyIndex }, _, { loaders }) =>
      penaltyIndex === null
        ? null
        : (penaltiesOf(await required(loaders.slaVersionById.load(slaDefinitionVersionId)))[penaltyIndex] ?? null),
    credits: async ({ id }, _, { loaders }) =>
      [...totalsOf(await loaders.creditsBySlaBreach.load(id))].map(([currency, minor]) => moneyOf(minor, currency)),
    ledgerEntries: async ({ id }, _, { loaders }) => visible(loaders, await loaders.creditsBySlaBreach.load(id)),
  },
  SlaCompliance: {
    definition: ({ slaDefinitionId }, _, { loaders }) => required(loaders.slaDefinitionById.load(slaDefinitionId)),
  },
  LedgerTransaction: {
    slaBreaches: async ({ id }, _, { loaders }) => {
      const ids = await loaders.slaBreachIdsByTransaction.load(id);
      const breaches = await Promise.all(ids.map((one) => loaders.slaBreachById.load(one)));
      return breaches.filter((breach) => breach !== null); // Those of a former owner are not for this one's session.
    },
  },
  AttachSlaDefinitionPayload: {
    productKey: ({ productKeyId }, _, { loaders }) => found(loaders.productKeyById, productKeyId),
  },
  DetachSlaDefinitionPayload: {
    productKey: ({ productKeyId }, _, { loaders }) => found(loaders.productKeyById, productKeyId),
  },
  RecordSlaBreachPayload: {
    slaBreach: ({ slaBreachId }, _, { loaders }) => found(loaders.slaBreachById, slaBreachId),
    productKey: ({ productKeyId }, _, { loaders }) => found(loaders.productKeyById, productKeyId),
    ledgerEntries: ({ ledgerEntryIds }, _, { loaders }) =>
      ledgerEntryIds ? Promise.all(ledgerEntryIds.map((id) => required(loaders.ledgerEntryById.load(id)))) : null,
  },
} satisfies Resolvers;

interface WalletLoaders {
  readonly ledgerEntryById: DataLoader<string, LedgerTransfer | null>;
  readonly walletById: DataLoader<string, Wallet | null>;
}

/** The entries of credits: to a session, those in its own wallets, as another one may own the key by now. */
async function visible(
  { ledgerEntryById, walletById }: WalletLoaders,
  credits: readonly { ledgerEntryId: string }[],
): Promise<LedgerTransfer[]> {
  const entries = await Promise.all(credits.map(({ ledgerEntryId }) => required(ledgerEntryById.load(ledgerEntryId))));
  const wallets = await Promise.all(entries.map(({ walletId }) => walletById.load(walletId)));
  return entries.filter((_, i) => wallets[i] !== null);
}
