import type { Resolvers } from '../generated/graphql.js';
import { found, idOf, required } from '../graphql/fields.js';
import { mutation } from '../graphql/mutation.js';
import { uuidOf } from '../kernel/id.js';
import { moneyOf } from '../kernel/money.js';
import { listPage } from '../kernel/page.js';
import { createWallet } from './createWallet.js';
import { creditWallet } from './creditWallet.js';
import { walletList } from './listWallets.js';

export const walletResolvers = {
  Query: {
    wallet: (_, { id }, { loaders }) => loaders.walletById.load(uuidOf('Wallet', id)),
    wallets: (_, args, { request }) => listPage(request.db, walletList(request, args), args),
  },
  Mutation: {
    createWallet: mutation(createWallet),
    creditWallet: mutation(creditWallet, { movesMoney: true }),
  },
  Wallet: {
    id: idOf('Wallet'),
    customer: ({ customerId }, _, { loaders }) => required(loaders.customerById.load(customerId)),
    brand: ({ brandId }, _, { loaders }) => required(loaders.brandById.load(brandId)),
    currencyCode: ({ currency }) => currency,
    balance: ({ balanceMinor, currency }) => moneyOf(balanceMinor, currency),
    ledgerEntries: ({ id }, args, { loaders }) => loaders.ledgerEntriesByWallet.load({ parentId: id, args }),
    testMode: ({ mode }) => mode === 'TEST',
  },
  LedgerEntry: {
    id: idOf('LedgerEntry'),
    sequence: ({ walletSequence }) => walletSequence,
    wallet: ({ walletId }, _, { loaders }) => required(loaders.walletById.load(walletId)),
    transaction: ({ transactionId }, _, { loaders }) => required(loaders.ledgerTransactionById.load(transactionId)),
    amount: ({ amountMinor, currency }) => moneyOf(amountMinor, currency),
    balanceBefore: ({ balanceBeforeMinor, currency }) => moneyOf(balanceBeforeMinor, currency),
    balanceAfter: ({ balanceAfterMinor, currency }) => moneyOf(balanceAfterMinor, currency),
    hash: ({ hash }) => Buffer.from(hash).toString('hex'),
  },
  LedgerTransaction: {
    id: idOf('LedgerTransaction'),
    order: ({ orderId }, _, { loaders }) => found(loaders.orderById, orderId),
  },
  CreateWalletPayload: { wallet: ({ walletId }, _, { loaders }) => found(loaders.walletById, walletId) },
  CreditWalletPayload: {
    wallet: ({ walletId }, _, { loaders }) => found(loaders.walletById, walletId),
    ledgerEntry: ({ ledgerEntryId }, _, { loaders }) => found(loaders.ledgerEntryById, ledgerEntryId),
  },
} satisfies Resolvers;
