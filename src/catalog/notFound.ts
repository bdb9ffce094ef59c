import { userError, type UserErrorData } from '../kernel/refusal.js';

type Path = readonly (string | number)[];

/** What to answer when there is no product with the id at `path`; the same for foreign and unknown ids. */
export function missingProduct(path: Path): UserErrorData {
  return userError('ProductNotFound', path, 'There is no product with this id.');
}

/** The same for a product offering. */
export function missingProductOffering(path: Path): UserErrorData {
  return userError('ProductOfferingNotFound', path, 'There is no product offering with this id.');
}

/** The same for a package. */
export function missingPackage(path: Path): UserErrorData {
  return userError('PackageNotFound', path, 'There is no package with this id.');
}

/** The same for a subscription type. */
export function missingSubscriptionType(path: Path): UserErrorData {
  return userError('SubscriptionTypeNotFound', path, 'There is no subscription type with this id.');
}

/** The same for a package price. */
export function missingPackagePrice(path: Path): UserErrorData {
  return userError('PackagePriceNotFound', path, 'There is no package price with this id.');
}

/** The same for a product version. */
export function missingProductVersion(path: Path): UserErrorData {
  return userError('ProductVersionNotFound', path, 'There is no product version with this id.');
}
