import { loadOne, loadPage } from '../graphql/batching.js';
import type { RequestContext } from '../kernel/requestContext.js';
import { ledgerEntryList } from './listLedgerEntries.js';
import { walletList } from './listWallets.js';

/** Wallets and ledgers by id, a customer's wallets and a wallet's ledger. */
export function walletLoaders(ctx: RequestContext) {
  return {
    walletById: loadOne(ctx, 'Wallet'),
    walletsByCustomer: loadPage(ctx, 'customerId', walletList),
    ledgerEntryById: loadOne(ctx, 'LedgerTransfer'),
    ledgerEntriesByWallet: loadPage(ctx, 'walletId', ledgerEntryList),
    ledgerTransactionById: loadOne(ctx, 'LedgerTransaction'),
  };
}
