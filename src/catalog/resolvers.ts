import type { Resolvers } from '../generated/graphql.js';
import { found, idOf, required } from '../graphql/fields.js';
import { mutation } from '../graphql/mutation.js';
import { reads } from '../graphql/reads.js';
import { uuidOf } from '../kernel/id.js';
import { moneyOf } from '../kernel/money.js';
import { listPage } from '../kernel/page.js';
import type { Metadata } from '../kernel/text.js';
import { archivePackagePrice } from './archivePackagePrice.js';
import { archiveProductOffering } from './archiveProductOffering.js';
import { archiveProductVersion } from './archiveProductVersion.js';
import { createProductVersion } from './createProductVersion.js';
import { publishProductVersion } from './publishProductVersion.js';
import { unpublishProductVersion } from './unpublishProductVersion.js';
import { updateProductOffering } from './updateProductOffering.js';
import { updateProductVersion } from './updateProductVersion.js';
import { updateProduct } from './updateProduct.js';
import { archiveProduct } from './archiveProduct.js';
import { updatePackage } from './updatePackage.js';
import { archivePackage } from './archivePackage.js';
import { updateSubscriptionType } from './updateSubscriptionType.js';
import { archiveSubscriptionType } from './archiveSubscriptionType.js';
import { updatePackagePrice } from './updatePackagePrice.js';
import { createPackage } from './createPackage.js';
import { createPackagePrice } from './createPackagePrice.js';
import { createProduct } from './createProduct.js';
import { createProductOffering } from './createProductOffering.js';
import { createSubscriptionType } from './createSubscriptionType.js';
import { packagePriceList } from './listPackagePrices.js';
import { packageList } from './listPackages.js';
import { productOfferingList } from './listProductOfferings.js';
import { productList } from './listProducts.js';
import { subscriptionTypeList } from './listSubscriptionTypes.js';

export const catalogResolvers = {
  Query: {
    product: (_, { id }, { loaders }) => loaders.productById.load(uuidOf('Product', id)),
    products: (_, args, { request }) => listPage(request.db, productList(request, args), args),
    productOffering: (_, { id }, { loaders }) => loaders.productOfferingById.load(uuidOf('ProductOffering', id)),
    productOfferings: (_, args, { request, columns }) =>
      listPage(request.db, productOfferingList(request, args), args, columns.ProductOffering),
    productVersion: (_, { id }, { loaders }) => loaders.productVersionById.load(uuidOf('ProductVersion', id)),
    package: (_, { id }, { loaders }) => loaders.packageById.load(uuidOf('Package', id)),
    packages: (_, args, { request }) => listPage(request.db, packageList(request, args), args),
    subscriptionType: (_, { id }, { loaders }) => loaders.subscriptionTypeById.load(uuidOf('SubscriptionType', id)),
    subscriptionTypes: (_, args, { request }) => listPage(request.db, subscriptionTypeList(request, args), args),
    packagePrice: (_, { id }, { loaders }) => loaders.packagePriceById.load(uuidOf('PackagePrice', id)),
    packagePrices: (_, args, { request }) => listPage(request.db, packagePriceList(request, args), args),
  },
  Mutation: {
    createProduct: mutation(createProduct),
    archiveProduct: mutation(archiveProduct),
    updateProduct: mutation(updateProduct),
    createProductOffering: mutation(createProductOffering),
    archiveProductOffering: mutation(archiveProductOffering),
    updateProductOffering: mutation(updateProductOffering),
    createProductVersion: mutation(createProductVersion),
    archiveProductVersion: mutation(archiveProductVersion),
    updateProductVersion: mutation(updateProductVersion),
    publishProductVersion: mutation(publishProductVersion),
    unpublishProductVersion: mutation(unpublishProductVersion),
    createPackage: mutation(createPackage),
    archivePackage: mutation(archivePackage),
    updatePackage: mutation(updatePackage),
    createSubscriptionType: mutation(createSubscriptionType),
    archiveSubscriptionType: mutation(archiveSubscriptionType),
    updateSubscriptionType: mutation(updateSubscriptionType),
    createPackagePrice: mutation(createPackagePrice),
    archivePackagePrice: mutation(archivePackagePrice),
    updatePackagePrice: mutation(updatePackagePrice),
  },
  Product: {
    id: idOf('Product'),
    metadata: ({ metadata }) => metadata as Metadata,
    productOfferings: ({ id }, args, { loaders }) => loaders.productOfferingsByProduct.load({ parentId: id, args }),
    entitlements: ({ id }, _, { loaders }) => loaders.entitlementsByProduct.load(id),
    versions: ({ id }, args, { loaders }) => loaders.productVersionsByProduct.load({ parentId: id, args }),
    latestPublicVersionName: ({ id }, _, { loaders }) => loaders.latestVersionNameByProduct.load(id),
  },
  ProductVersion: {
    id: idOf('ProductVersion'),
    metadata: ({ metadata }) => metadata as Metadata,
    product: ({ productId }, _, { loaders }) => required(loaders.productById.load(productId)),
  },
  ProductOffering: {
    id: idOf('ProductOffering'),
    metadata: reads('ProductOffering', ['metadata'], ({ metadata }) => metadata as Metadata),
    group: reads('ProductOffering', ['groupName'], ({ groupName }) => groupName),
    price: reads('ProductOffering', ['priceMinor', 'currency'], ({ priceMinor, currency }) =>
      moneyOf(priceMinor, currency),
    ),
    product: reads('ProductOffering', ['productId'], ({ productId }, _, { loaders }) =>
      required(loaders.productById.load(productId)),
    ),
    entitlements: reads('ProductOffering', [], ({ id }, _, { loaders }) => loaders.entitlementsByOffering.load(id)),
    supersedes: reads('ProductOffering', ['supersedesId'], ({ supersedesId }, _, { loaders }) =>
      found(loaders.productOfferingById, supersedesId),
    ),
    supersededBy: reads(
      'ProductOffering',
      [],
      async ({ id }, _, { loaders }) => (await loaders.offeringsBySuperseded.load(id))[0] ?? null,
    ),
  },
  Package: {
    id: idOf('Package'),
    metadata: ({ metadata }) => metadata as Metadata,
    brand: ({ brandId }, _, { loaders }) => required(loaders.brandById.load(brandId)),
    primaryProduct: ({ primaryProductId }, _, { loaders }) => required(loaders.productById.load(primaryProductId)),
    productOfferings: ({ id }, _, { loaders }) => loaders.offeringsByPackage.load(id),
    prices: ({ id }, _, { loaders }) => loaders.pricesByPackage.load(id),
    entitlements: ({ id }, _, { loaders }) => loaders.entitlementsByPackage.load(id),
  },
  SubscriptionType: { id: idOf('SubscriptionType'), metadata: ({ metadata }) => metadata as Metadata },
  PackagePrice: {
    id: idOf('PackagePrice'),
    price: ({ amountMinor, currency }) => moneyOf(amountMinor, currency),
    package: ({ packageId }, _, { loaders }) => required(loaders.packageById.load(packageId)),
    subscriptionType: ({ subscriptionTypeId }, _, { loaders }) =>
      required(loaders.subscriptionTypeById.load(subscriptionTypeId)),
  },
  CreateProductPayload: { product: ({ productId }, _, { loaders }) => found(loaders.productById, productId) },
  CreateProductOfferingPayload: {
    productOffering: ({ productOfferingId }, _, { loaders }) => found(loaders.productOfferingById, productOfferingId),
  },
  UpdateProductOfferingPayload: {
    productOffering: ({ productOfferingId }, _, { loaders }) => found(loaders.productOfferingById, productOfferingId),
    superseded: ({ supersededId }, _, { loaders }) => found(loaders.productOfferingById, supersededId),
  },
  ArchiveProductOfferingPayload: {
    productOffering: ({ productOfferingId }, _, { loaders }) => found(loaders.productOfferingById, productOfferingId),
  },
  CreateProductVersionPayload: {
    productVersion: ({ productVersionId }, _, { loaders }) => found(loaders.productVersionById, productVersionId),
  },
  UpdateProductVersionPayload: {
    productVersion: ({ productVersionId }, _, { loaders }) => found(loaders.productVersionById, productVersionId),
  },
  PublishProductVersionPayload: {
    productVersion: ({ productVersionId }, _, { loaders }) => found(loaders.productVersionById, productVersionId),
  },
  UnpublishProductVersionPayload: {
    productVersion: ({ productVersionId }, _, { loaders }) => found(loaders.productVersionById, productVersionId),
  },
  ArchiveProductVersionPayload: {
    productVersion: ({ productVersionId }, _, { loaders }) => found(loaders.productVersionById, productVersionId),
  },
  CreatePackagePayload: { package: ({ packageId }, _, { loaders }) => found(loaders.packageById, packageId) },
  CreateSubscriptionTypePayload: {
    subscriptionType: ({ subscriptionTypeId }, _, { loaders }) =>
      found(loaders.subscriptionTypeById, subscriptionTypeId),
  },
  CreatePackagePricePayload: {
    packagePrice: ({ packagePriceId }, _, { loaders }) => found(loaders.packagePriceById, packagePriceId),
  },
  UpdateProductPayload: { product: ({ productId }, _, { loaders }) => found(loaders.productById, productId) },
  ArchiveProductPayload: { product: ({ productId }, _, { loaders }) => found(loaders.productById, productId) },
  UpdatePackagePayload: { package: ({ packageId }, _, { loaders }) => found(loaders.packageById, packageId) },
  ArchivePackagePayload: { package: ({ packageId }, _, { loaders }) => found(loaders.packageById, packageId) },
  UpdateSubscriptionTypePayload: {
    subscriptionType: ({ subscriptionTypeId }, _, { loaders }) =>
      found(loaders.subscriptionTypeById, subscriptionTypeId),
  },
  ArchiveSubscriptionTypePayload: {
    subscriptionType: ({ subscriptionTypeId }, _, { loaders }) =>
      found(loaders.subscriptionTypeById, subscriptionTypeId),
  },
  ArchivePackagePricePayload: {
    packagePrice: ({ packagePriceId }, _, { loaders }) => found(loaders.packagePriceById, packagePriceId),
  },
  UpdatePackagePricePayload: {
    packagePrice: ({ packagePriceId }, _, { loaders }) => found(loaders.packagePriceById, packagePriceId),
  },
} satisfies Resolvers;
