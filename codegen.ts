import type { CodegenConfig } from '@graphql-codegen/cli';

const rows = [
  'ApiKey',
  'Brand',
  'Business',
  'Change',
  'Customer',
  'CustomerSession',
  'Delivery',
  'Entitlement',
  'Grant',
  'LedgerTransaction',
  'License',
  'LicenseKey',
  'Order',
  'OrderLine',
  'Package',
  'PackagePrice',
  'Product',
  'ProductOffering',
  'SubscriptionType',
  'Wallet',
];
const listed = [
  'ApiKey',
  'Brand',
  'Change',
  'Customer',
  'Entitlement',
  'Grant',
  'License',
  'Order',
  'Package',
  'PackagePrice',
  'Product',
  'ProductOffering',
  'SubscriptionType',
  'Wallet',
];

/** What each payload's resolvers start from: ids and scalars, so that a repeated call can be answered from its record. */
const payloads: Record<string, string> = {
  CreateBusinessPayload: '{ businessId: string; liveToken: string; testToken: string }',
  CreateBrandPayload: '{ brandId: string }',
  UpdateBusinessPayload: '{ businessId: string }',
  UpdateBrandPayload: '{ brandId: string }',
  CreateApiKeyPayload: '{ apiKeyId: string; token: string }',
  RevokeApiKeyPayload: '{ apiKeyId: string }',
  IssueCustomerSessionPayload: '{ customerSessionId: string; token: string }',
  RevokeCustomerSessionPayload: '{ customerSessionId: string }',
  CreateCustomerPayload: '{ customerId: string }',
  UpdateCustomerPayload: '{ customerId: string }',
  UpsertCustomerPayload: '{ customerId: string; created: boolean }',
  UpdateProductPayload: '{ productId: string }',
  ArchiveProductPayload: '{ productId: string }',
  CreateProductPayload: '{ productId: string }',
  CreateProductOfferingPayload: '{ productOfferingId: string }',
  UpdatePackagePayload: '{ packageId: string }',
  ArchivePackagePayload: '{ packageId: string }',
  CreatePackagePayload: '{ packageId: string }',
  UpdateSubscriptionTypePayload: '{ subscriptionTypeId: string }',
  ArchiveSubscriptionTypePayload: '{ subscriptionTypeId: string }',
  CreateSubscriptionTypePayload: '{ subscriptionTypeId: string }',
  UpdatePackagePricePayload: '{ packagePriceId: string }',
  CreatePackagePricePayload: '{ packagePriceId: string }',
  UpdateEntitlementPayload: '{ entitlementId: string }',
  ArchiveEntitlementPayload: '{ entitlementId: string }',
  CreateEntitlementPayload: '{ entitlementId: string }',
  AttachEntitlementPayload: '{ entitlementId: string }',
  DetachEntitlementPayload: '{ entitlementId: string }',
  CreateLicensePayload: '{ licenseId: string }',
  ActivateLicensePayload: '{ licenseId: string }',
  PauseLicensePayload: '{ licenseId: string }',
  ResumeLicensePayload: '{ licenseId: string }',
  BlockLicensePayload: '{ licenseId: string }',
  UnblockLicensePayload: '{ licenseId: string }',
  CancelLicensePayload: '{ licenseId: string }',
  CancelPendingLicenseChangePayload: '{ licenseId: string }',
  IssueGrantPayload: '{ grantId: string }',
  FulfillLicenseKeyGrantPayload: '{ grantId: string }',
  ClaimGrantPayload: '{ grantId: string }',
  RevokeGrantPayload: '{ grantId: string }',
  CreateWalletPayload: '{ walletId: string }',
  CreditWalletPayload: '{ walletId: string; ledgerEntryId: string }',
  PurchaseLicensesByWalletPayload:
    '{ orderId: string; licenseIds: string[]; walletId: string; ledgerEntryIds: string[] }',
};

/** Scalars as they stand in JSON: what a client sends and gets. */
const clientScalars = {
  ID: 'string',
  DateTime: 'string',
  Date: 'string',
  Decimal: 'string',
  Currency: 'string',
  BigInt: 'string',
  Metadata: 'Record<string, string | number | boolean | null>',
  JSON: 'unknown',
};

const config: CodegenConfig = {
  schema: 'schema/*.graphql',
  importExtension: '.js',
  emitLegacyCommonJSImports: false,
  generates: {
    // The published client: a typed function for each document of sdk/operations.
    'sdk/src/generated/sdk.ts': {
      documents: 'sdk/operations/*.graphql',
      plugins: ['typescript-operations', 'typescript-graphql-request'],
      config: {
        documentMode: 'documentNode',
        dedupeFragments: true,
        inlineFragmentTypes: 'combine',
        useTypeImports: true,
        defaultScalarType: 'unknown',
        scalars: clientScalars,
      },
    },
    'src/generated/graphql.ts': {
      plugins: [
        {
          add: {
            content: [
              "import type { Payload } from '../graphql/mutation.js';",
              "import type { Connection } from '../kernel/page.js';",
              `import type { ${rows.map((row) => `${row} as ${row}Row`).join(', ')}, LedgerTransfer as LedgerEntryRow } from './prisma/client.js';`,
            ],
          },
        },
        'typescript',
        'typescript-resolvers',
      ],
      config: {
        useTypeImports: true,
        enumsAsTypes: true,
        contextType: '../context.js#GraphQLContext',
        defaultScalarType: 'unknown',
        nonOptionalTypename: false,
        resolversNonOptionalTypename: { interfaceImplementingType: true, unionMember: true },
        scalars: {
          ID: 'string',
          DateTime: 'Date',
          Date: 'Date',
          Decimal: 'string',
          Currency: 'string',
          BigInt: 'bigint',
          Metadata: 'Record<string, string | number | boolean | null>',
          JSON: 'unknown',
        },
        mappers: {
          ...Object.fromEntries(rows.map((row) => [row, `${row}Row`])),
          LedgerEntry: 'LedgerEntryRow',
          ...Object.fromEntries(listed.map((row) => [`${row}Connection`, `Connection<${row}Row>`])),
          LedgerEntryConnection: 'Connection<LedgerEntryRow>',
          ...Object.fromEntries(Object.entries(payloads).map(([name, refs]) => [name, `Payload<${refs}>`])),
        },
      },
    },
  },
};

export default config;
