import { userError, type UserErrorData } from '../kernel/refusal.js';

type Path = readonly (string | number)[];

/** What to answer when something new shall be made of an archived product. */
export function archivedProduct(path: Path): UserErrorData {
  return userError('ProductArchived', path, 'The product is archived: nothing new is made of it. Choose another one.');
}

/** The same for a package, or one whose product is archived. */
export function archivedPackage(path: Path): UserErrorData {
  return userError(
    'PackageArchived',
    path,
    'The package or its product is archived: it is sold no more. Choose another.',
  );
}

/** The same for a subscription type. */
export function archivedSubscriptionType(path: Path): UserErrorData {
  return userError('SubscriptionTypeArchived', path, 'The subscription type is archived. Choose another one.');
}

/** The same for an offering. */
export function archivedProductOffering(path: Path): UserErrorData {
  return userError(
    'ProductOfferingUnavailable',
    path,
    'The offering is archived or superseded: it can be had no more. Choose another one.',
  );
}

/** What to answer when an archived price shall change. */
export function archivedPackagePrice(path: Path): UserErrorData {
  return userError('PackagePriceArchived', path, 'The price is archived: nothing is sold at it. Create another one.');
}
