import { expect } from '@jest/globals';
import type { Answer, Api } from '../support/api.js';
import { newApiKey, newBusiness, newCustomer, type TestBusiness } from '../support/business.js';
import { newPackage, newPackagePrice, newProduct, newSubscriptionType } from '../support/catalog.js';
import { creditWallet, newWallet } from '../support/wallets.js';

/** What a test of purchases starts from: a package at 10.00 USD for 30 days, and a customer with a wallet. */
export interface Shop {
  business: TestBusiness;
  /** All scopes but `PRICES_OVERRIDE`. */
  token: string;
  customerId: string;
  walletId: string;
  packageId: string;
  subscriptionTypeId: string;
  /** A purchase that fits; tests spread it and change what they are about. */
  input: Record<string, unknown>;
}

const scopes = [
  'PURCHASES_WRITE',
  'CATALOG_READ',
  'CUSTOMERS_READ',
  'LICENSES_READ',
  'LICENSE_KEYS_READ',
  'LICENSE_KEYS_REVEAL',
  'GRANTS_READ',
  'WALLETS_READ',
  'ORDERS_READ',
];

/** The instant that tests of purchases run at, and what they buy by default: thirty days from then on. */
export const now = '2026-12-01T12:00:00.000Z';
const end = '2026-12-31T12:00:00.000Z';

/** Opens a shop whose wallet holds `funds` in `currencyCode`, at a price in it. */
export async function newShop(
  api: Api,
  { funds = '100', currencyCode = 'USD', price = '10' }: { funds?: string; currencyCode?: string; price?: string } = {},
): Promise<Shop> {
  const business = await newBusiness(api);
  const { live } = business;
  const customerId = await newCustomer(api, live, { code: 'BUYER', email: 'buyer@example.com' });
  const walletId = await newWallet(api, live, { customerId, currencyCode });
  if (funds !== '0') await creditWallet(api, live, walletId, funds, currencyCode);
  const primaryProductId = await newProduct(api, live, { sku: 'studio' });
  const packageId = await newPackage(api, live, { primaryProductId });
  const subscriptionTypeId = await newSubscriptionType(api, live);
  await newPackagePrice(api, live, { packageId, subscriptionTypeId, amount: price, currencyCode });
  const token = await newApiKey(api, live, scopes);
  const ids = { walletId, packageId, subscriptionTypeId };
  const window = { startDate: now, endDate: end };
  const input = { ...ids, amount: price, currencyCode, ...window, customerCode: 'BUYER' };
  return { business, token, customerId, ...ids, input };
}

/** Every field of the payload, with the licenses and all that comes with them. */
export const purchase = `mutation ($input: PurchaseLicensesByWalletInput!) {
  purchaseLicensesByWallet(input: $input) {
    order { id number status total { amount } lines { quantity } }
    licenses { id number status }
    wallet { id balance { amount } }
    ledgerEntries { id isCredit amount { amount } }
    success data statusCode message
    userErrors { __typename message path code }
  }
}`;

/** Calls the purchase. */
export function buy(api: Api, token: string | null, input: object, headers = {}): Promise<Answer> {
  return api.call({ token, query: purchase, variables: { input }, headers });
}

/** Code and path of each refusal; fails unless nothing but refusals came back. */
export function refusals(answer: Answer): string[] {
  const { order, licenses, wallet, ledgerEntries, success, data, message, userErrors } =
    answer.data.purchaseLicensesByWallet;
  expect([order, licenses, wallet, ledgerEntries, success, data]).toEqual([null, null, null, null, false, false]);
  expect(message).toBe(userErrors[0].message);
  return userErrors.map(({ code, path }: { code: string; path: string[] }) => `${code} ${path.join('.')}`);
}

/** How many rows of everything there are that a purchase may write. */
export async function rowCounts(api: Api): Promise<Record<string, number>> {
  const tables = ['orders', 'order_lines', 'licenses', 'license_keys', 'license_key_bindings', 'grants', 'deliveries'];
  const ledger = ['ledger_transactions', 'ledger_transfers', 'changes', 'idempotency_records'];
  const counts = [...tables, ...ledger].map((table) => `(SELECT count(*)::int FROM ${table}) AS ${table}`);
  const [row] = await api.db.sql<Record<string, number>>(null, `SELECT ${counts.join(', ')}`, []);
  return row as Record<string, number>;
}
