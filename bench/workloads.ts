import { globalId } from '../src/kernel/id.js';
import { moneyOf } from '../src/kernel/money.js';
import { FRESH } from './freshBytes.js';
import { PRODUCT_SKU } from './loadProductKeys.js';
import type { World } from './loadWorld.js';

/** Names of what is asked for; a server says for each how it wants to be asked. */
export type Operation =
  'license' | 'page' | 'firstPage' | 'deepPage' | 'validate' | 'purchase' | 'access' | 'usage' | 'usages';

/** Those that change something: their answers differ from one time to the next. */
export const writing: ReadonlySet<Operation> = new Set<Operation>(['purchase', 'usage', 'usages']);

/** Those of product keys. */
export const ofProductKeys: readonly Operation[] = ['access', 'usage', 'usages'];

/** One line of the table: an operation with the variables of its requests, in turn. */
export interface Workload {
  readonly name: string;
  readonly title: string;
  readonly operation: Operation;
  readonly variables: readonly Record<string, unknown>[];
  /** How many uses of product keys a request counts; absent: none. */
  readonly uses?: number;
}

const LICENSE = `id number status type validFrom validUntil isActive
  customer { id name } productOffering { id name licenseType price { amount currencyCode } }`;

/** The operations in Latchkey's own schema: what the answers of every server look like. */
export const documents: Record<Operation, string> = {
  license: `query License($id: ID!) { license(id: $id) { ${LICENSE} } }`,
  page: `query Page($before: DateTime!) {
    licenses(first: 50, where: { createdAt: { lt: $before } }) { nodes { ${LICENSE} } pageInfo { hasNextPage } }
  }`,
  firstPage: `query FirstPage { licenses(first: 50) { nodes { ${LICENSE} } pageInfo { hasNextPage } } }`,
  deepPage: `query DeepPage($after: String!) {
    licenses(first: 50, after: $after) { nodes { ${LICENSE} } pageInfo { hasNextPage } }
  }`,
  validate: `query Validate($input: ValidateLicenseKeyInput!) {
    validateLicenseKey(input: $input) {
      valid checks { code severity } license { status validFrom validUntil isActive } product { sku name }
      activationsUsed activationsLimit expiresAt
    }
  }`,
  purchase: `mutation Purchase($input: PurchaseLicensesByWalletInput!) {
    purchaseLicensesByWallet(input: $input) {
      success statusCode message
      order { id number status total { amount currencyCode } }
      licenses { id number status validFrom validUntil }
      wallet { id balance { amount currencyCode } }
      userErrors { __typename message }
    }
  }`,
  usage: `mutation Usage($input: RecordUsageInput!) {
    recordUsage(input: $input) {
      usage { amount consumedQuota remainingQuota overage periodStart periodEnd }
      userErrors { __typename message }
    }
  }`,
  usages: `mutation Usages($input: RecordUsagesInput!) {
    recordUsages(input: $input) {
      results { index usage { consumedQuota remainingQuota } replayed userErrors { __typename message } }
      userErrors { __typename message }
    }
  }`,
  access: `query Access($key: String!, $productSku: String!, $consumerEmail: String) {
    productKeyAccess(key: $key, productSku: $productSku, consumerEmail: $consumerEmail) {
      allowed reasons { code } status remainingQuota quotaPeriodEnd
    }
  }`,
};

const BATCH = 100;

/** The workloads over a loaded world. The pages come before the purchases, which make new licenses. */
export function workloadsOf(world: World): Workload[] {
  const start = new Date(Date.now() - 60_000);
  const end = new Date(start.getTime() + world.days * 86_400_000);
  const purchaseFrom = (wallet: World['wallets'][number]) => ({
    input: {
      walletId: globalId('Wallet', wallet.id),
      customerId: globalId('Customer', wallet.customerId),
      packageId: globalId('Package', world.packageId),
      subscriptionTypeId: globalId('SubscriptionType', world.subscriptionTypeId),
      amount: moneyOf(BigInt(world.priceMinor), world.currency).amount,
      currencyCode: world.currency,
      startDate: start.toISOString(),
      endDate: end.toISOString(),
      quantity: 1,
    },
  });
  const [hot, ...cold] = world.wallets;
  const [hotKey, ...coldKeys] = world.productKeys;
  const useOf = ({ key }: World['productKeys'][number]) => ({ key, amount: '1', idempotencyKey: FRESH });
  return [
    {
      name: 'license',
      title: 'a license with customer and offering',
      operation: 'license',
      variables: world.licenses.map(({ id }) => ({ id: globalId('License', id) })),
    },
    {
      name: 'page',
      title: 'a page of 50 of them',
      operation: 'page',
      variables: world.licenses.map(({ createdAt }) => ({ before: createdAt.toISOString() })),
    },
    { name: 'first-page', title: 'the first page of all licenses', operation: 'firstPage', variables: [{}] },
    {
      name: 'deep-page',
      title: `page ${world.deep.page} of them`,
      operation: 'deepPage',
      variables: [{ cursor: world.deep }],
    },
    {
      name: 'validate',
      title: 'a check of a key that is valid',
      operation: 'validate',
      variables: world.keys.map((key) => ({ input: { key } })),
    },
    {
      name: 'validate-unknown',
      title: 'a check of a key that is not known',
      operation: 'validate',
      variables: world.keys.map((key) => ({ input: { key: key.split('').reverse().join('') } })),
    },
    {
      name: 'hot-wallet',
      title: 'a purchase, all from one wallet',
      operation: 'purchase',
      variables: [purchaseFrom(hot!)],
    },
    {
      name: 'wallets',
      title: `a purchase, from ${cold.length} wallets`,
      operation: 'purchase',
      variables: cold.map(purchaseFrom),
    },
    {
      name: 'access',
      title: 'whether a product key may be used',
      operation: 'access',
      variables: coldKeys.map(({ key }) => ({ key, productSku: PRODUCT_SKU, consumerEmail: 'erika@example.com' })),
    },
    {
      name: 'usage-one',
      title: 'a use, all of one product key',
      operation: 'usage',
      variables: [{ input: useOf(hotKey!) }],
      uses: 1,
    },
    {
      name: 'usage',
      title: `a use, of ${coldKeys.length} product keys`,
      operation: 'usage',
      variables: coldKeys.map((one) => ({ input: useOf(one) })),
      uses: 1,
    },
    {
      name: 'usage-batch',
      title: `${BATCH} uses at once, of ${coldKeys.length} keys`,
      operation: 'usages',
      variables: [{ input: { rows: Array.from({ length: BATCH }, (_, i) => useOf(coldKeys[i % coldKeys.length]!)) } }],
      uses: BATCH,
    },
  ];
}
