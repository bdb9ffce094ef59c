import { createHash } from 'node:crypto';
import { CUSTOMERS_PER_WALLET, numberOf, pick, times, worldId, type Tables } from './business.js';
import { packageOf, termOf } from './catalog.js';

const BALANCE = 1_000_000_000_000;
const firstNames = ['Anna', 'Ben', 'Chloé', 'David', 'Erika', 'Farid', 'Grace', 'Hugo', 'Ines', 'Jonas'];
const lastNames = ['Abel', 'Brandt', 'Costa', 'Dubois', 'Eriksson', 'Fischer', 'Garcia'];

/** Stands for the hash of a wallet's first transfer: nothing here computes it from the transfer. */
function hashOf(n: number): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeBigInt64BE(BigInt(n));
  return createHash('sha256').update(bytes).digest();
}

/** A business's customers, and the wallets that some of them have, each with its first payment and an order that cost nothing. */
export const customerTables: Tables = {
  customers: ({ number, customers }, now) =>
    times(customers.count, (i) => {
      const n = customers.before + i;
      return {
        businessId: worldId('business', number),
        mode: 'LIVE',
        id: worldId('customer', n),
        brandId: worldId('brand', number),
        number: numberOf('K', n),
        code: `C${n}`,
        externalId: `crm-${n}`,
        firstName: pick(firstNames, i),
        lastName: pick(lastNames, i),
        companyName: i % 3 === 0 ? `Company ${i} GmbH` : null,
        email: `person${n}@example.com`,
        isEmailVerified: i % 4 > 0,
        countryCode: pick(['DEU', 'FRA', 'SWE', 'ESP'], i),
        locale: 'de-DE',
        metadata: '{"source": "import"}',
        createdAt: now,
        updatedAt: now,
      };
    }),
  wallets: ({ number, customers, wallets }, now) =>
    times(wallets.count, (i) => ({
      businessId: worldId('business', number),
      mode: 'LIVE',
      id: worldId('wallet', wallets.before + i),
      customerId: worldId('customer', customers.before + i * CUSTOMERS_PER_WALLET),
      brandId: worldId('brand', number),
      currency: 'EUR',
      isDefault: true,
      balanceMinor: BALANCE,
      ledgerSequence: 1,
      ledgerHash: hashOf(wallets.before + i),
      version: 1,
      createdAt: now,
      updatedAt: now,
    })),
  *ledgerAccounts({ number, wallets }, now) {
    const account = { businessId: worldId('business', number), mode: 'LIVE', currency: 'EUR', createdAt: now };
    yield* times(wallets.count, (i) => {
      const id = worldId('wallet', wallets.before + i);
      return { ...account, id, kind: 'WALLET', walletId: id };
    });
    yield { ...account, id: worldId('ledgerAccount', number * 2), kind: 'FUNDING', walletId: null };
    yield { ...account, id: worldId('ledgerAccount', number * 2 + 1), kind: 'SALES', walletId: null };
  },
  ledgerTransactions: ({ number, wallets }, now) =>
    times(wallets.count, (i) => ({
      businessId: worldId('business', number),
      mode: 'LIVE',
      id: worldId('ledgerTransaction', wallets.before + i),
      kind: 'CREDIT',
      reason: 'First payment',
      createdAt: now,
    })),
  ledgerTransfers: ({ number, wallets }, now) =>
    times(wallets.count, (i) => ({
      businessId: worldId('business', number),
      mode: 'LIVE',
      id: worldId('ledgerTransfer', wallets.before + i),
      transactionId: worldId('ledgerTransaction', wallets.before + i),
      debitAccountId: worldId('ledgerAccount', number * 2),
      creditAccountId: worldId('wallet', wallets.before + i),
      currency: 'EUR',
      amountMinor: BALANCE,
      walletId: worldId('wallet', wallets.before + i),
      walletSequence: 1,
      isCredit: true,
      balanceBeforeMinor: 0,
      balanceAfterMinor: BALANCE,
      hash: hashOf(wallets.before + i),
      createdAt: now,
    })),
  orders: ({ number, customers, wallets }, now) =>
    times(wallets.count, (i) => ({
      businessId: worldId('business', number),
      mode: 'LIVE',
      id: worldId('order', wallets.before + i),
      number: numberOf('B', wallets.before + i),
      brandId: worldId('brand', number),
      customerId: worldId('customer', customers.before + i * CUSTOMERS_PER_WALLET),
      walletId: worldId('wallet', wallets.before + i),
      status: 'COMPLETED',
      currency: 'EUR',
      totalMinor: 0,
      completedAt: now,
      version: 1,
      createdAt: now,
      updatedAt: now,
    })),
  orderLines: ({ number, wallets }) =>
    times(wallets.count, (i) => ({
      businessId: worldId('business', number),
      mode: 'LIVE',
      id: worldId('orderLine', wallets.before + i),
      orderId: worldId('order', wallets.before + i),
      position: 1,
      packageId: packageOf(number, i),
      subscriptionTypeId: termOf(number, i),
      quantity: 1,
      unitAmountMinor: 0,
      discountMinor: 0,
      totalMinor: 0,
    })),
};
