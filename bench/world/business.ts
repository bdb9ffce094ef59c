import type { Row } from '../copyInto.js';

/** How much there is. The first business has half of the licenses, the others share the rest. */
export interface WorldSize {
  readonly businesses: number;
  readonly licenses: number;
}

/** How many of something a business has, and how many those before it have together. */
interface Share {
  readonly count: number;
  readonly before: number;
}

export interface Business {
  readonly number: number;
  readonly customers: Share;
  readonly wallets: Share;
  readonly licenses: Share;
}

/** What a business has in some tables, by the camelCase names of the tables. */
export type Tables = Readonly<Record<string, (business: Business, now: Date) => Iterable<Row>>>;

const LICENSES_PER_CUSTOMER = 5;
export const CUSTOMERS_PER_WALLET = 10;

export function businessesOf(size: WorldSize): Business[] {
  const before = { customers: 0, wallets: 0, licenses: 0 };
  const next = (kind: keyof typeof before, count: number): Share => {
    const share = { count, before: before[kind] };
    before[kind] += count;
    return share;
  };
  return Array.from({ length: size.businesses }, (_, number) => {
    const licenses = Math.ceil(number === 0 ? size.licenses / 2 : size.licenses / 2 / (size.businesses - 1));
    const customers = Math.ceil(licenses / LICENSES_PER_CUSTOMER);
    return {
      number,
      customers: next('customers', customers),
      wallets: next('wallets', Math.ceil(customers / CUSTOMERS_PER_WALLET)),
      licenses: next('licenses', licenses),
    };
  });
}

const kinds = {
  business: 1,
  brand: 2,
  apiKey: 3,
  product: 4,
  offering: 5,
  package: 6,
  subscriptionType: 7,
  packagePrice: 8,
  customer: 9,
  wallet: 10,
  ledgerAccount: 11,
  ledgerTransaction: 12,
  ledgerTransfer: 13,
  license: 14,
  order: 15,
  orderLine: 16,
};

/** Ids that can be computed from what they number: version 7, with a second between one and the next. */
export function worldId(kind: keyof typeof kinds, n: number): string {
  const time = (1_700_000_000_000 + n * 1_000).toString(16).padStart(12, '0');
  const version = `7${kinds[kind].toString(16).padStart(3, '0')}`;
  return `${time.slice(0, 8)}-${time.slice(8)}-${version}-8000-${n.toString(16).padStart(12, '0')}`;
}

export function* times(count: number, rowOf: (i: number) => Row): Generator<Row> {
  for (let i = 0; i < count; i++) yield rowOf(i);
}

/** The values in turn. */
export function pick<T>(values: readonly T[], i: number): T {
  return values[i % values.length]!;
}

/** A number as customers and licenses are told apart by. */
export const numberOf = (letter: string, n: number): string => `${letter}${String(n).padStart(9, '0')}`;
