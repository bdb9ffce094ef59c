import { archivedPackage, archivedSubscriptionType } from '../catalog/archived.js';
import { missingSubscriptionType } from '../catalog/notFound.js';
import type { RenewLicenseInput } from '../generated/graphql.js';
import type { License, ProductOffering, Wallet } from '../generated/prisma/client.js';
import { uuidOf } from '../kernel/id.js';
import { Refusal, refusal } from '../kernel/refusal.js';
import { tenantOf } from '../kernel/requestContext.js';
import type { SqlReader } from '../kernel/transaction.js';
import { findOfferings } from '../licenses/findOfferings.js';
import { renewalWindow } from '../licenses/renewal.js';
import { currencyMismatch } from '../wallets/currencyMismatch.js';

/** What a renewal is for, for how long, and what it costs in minor units of the wallet's currency; null: nothing is asked for. */
export interface RenewalTerms {
  readonly type: string;
  readonly productOfferingId: string | null;
  readonly packageId: string | null;
  readonly subscriptionTypeId: string | null;
  readonly validFrom: Date;
  readonly validUntil: Date;
  readonly price: bigint | null;
}

/** A license with an end. */
export type EndingLicense = License & { validUntil: Date };

/**
 * A step: the terms of a renewal. A license of a package lasts as long as the subscription type that is given, or else its own one;
 * a license of an offering one billing period, at that offering's price, also where nobody else gets it any more.
 * @param wallet what pays; null: nobody does
 * @throws Refusal InvalidInput, InvalidDateRange, SubscriptionTypeNotFound, SubscriptionTypeArchived, PackageArchived, PriceNotFound,
 *   CurrencyMismatch
 */
export async function renewalTerms(
  reader: SqlReader,
  license: EndingLicense,
  input: RenewLicenseInput,
  wallet: Wallet | null,
): Promise<RenewalTerms> {
  refuseOddInput(license, input);
  const terms =
    license.packageId === null
      ? await ofOffering(reader, license, input, wallet)
      : await ofPackage(reader, license, input, wallet);
  if (terms.validUntil > terms.validFrom) return terms;
  const message = `The renewal starts at ${terms.validFrom.toISOString()}. Give an end after that.`;
  throw refusal('InvalidDateRange', ['input', 'until'], message, { latestEndDate: null });
}

function refuseOddInput({ packageId }: License, { subscriptionTypeId, until, walletId }: RenewLicenseInput): void {
  const refuse = (field: string, message: string) => refusal('InvalidInput', ['input', field], message);
  if (packageId === null && subscriptionTypeId != null) {
    throw refuse('subscriptionTypeId', 'A license of an offering is renewed for its billing period. Leave it out.');
  }
  if (until != null && subscriptionTypeId != null) {
    throw refuse('until', 'Give `subscriptionTypeId` or `until`: one of the two.');
  }
  if (until != null && walletId != null) {
    throw refuse('until', 'What is paid for lasts as long as its price is for. Leave `until` out, or `walletId`.');
  }
}

async function ofOffering(
  reader: SqlReader,
  license: EndingLicense,
  { until }: RenewLicenseInput,
  wallet: Wallet | null,
): Promise<RenewalTerms> {
  const id = (license.pendingOfferingId ?? license.productOfferingId) as string;
  const offering = (await findOfferings(reader, [id])).get(id) as ProductOffering;
  if (wallet && wallet.currency !== offering.currency) throw currencyMismatch(wallet.currency, ['input', 'walletId']);
  return {
    type: offering.licenseType,
    productOfferingId: id,
    packageId: null,
    subscriptionTypeId: null,
    ...renewalWindow(license, until ? { until } : { offering }, reader.ctx.now),
    price: wallet && offering.priceMinor,
  };
}

interface PackageTerms {
  readonly isArchived: boolean;
  readonly typeId: string | null;
  readonly days: number | null;
  readonly isTypeArchived: boolean;
  readonly price: bigint | null;
}

const text = `SELECT p.archived_at IS NOT NULL OR product.archived_at IS NOT NULL AS "isArchived", s.id AS "typeId", s.days,
    s.archived_at IS NOT NULL AS "isTypeArchived", price.amount_minor AS price
  FROM packages p
  JOIN products product ON product.business_id = $1 AND product.id = p.primary_product_id
  LEFT JOIN subscription_types s ON s.business_id = $1 AND s.id = $3
  LEFT JOIN package_prices price ON price.business_id = $1 AND price.package_id = p.id
    AND price.subscription_type_id = s.id AND price.currency = $4 AND price.archived_at IS NULL
  WHERE p.business_id = $1 AND p.id = $2`;

async function ofPackage(
  reader: SqlReader,
  license: EndingLicense,
  { subscriptionTypeId, until }: RenewLicenseInput,
  wallet: Wallet | null,
): Promise<RenewalTerms> {
  const path = ['input', 'subscriptionTypeId'];
  const wanted =
    subscriptionTypeId == null ? license.subscriptionTypeId : uuidOf('SubscriptionType', subscriptionTypeId);
  const values = [tenantOf(reader.ctx).businessId, license.packageId, until ? null : wanted, wallet?.currency ?? null];
  const [found] = (await reader.sql<PackageTerms>('renewal_terms', text, values)) as [PackageTerms];
  if (found.isArchived) throw new Refusal([archivedPackage(['input', 'licenseId'])]);
  if (!until && wanted === null) {
    throw refusal(
      'InvalidInput',
      path,
      'The license has no duration of its own. Give `subscriptionTypeId` or `until`.',
    );
  }
  if (!until && found.days === null) throw new Refusal([missingSubscriptionType(path)]);
  if (found.isTypeArchived) throw new Refusal([archivedSubscriptionType(path)]);
  if (wallet && found.price === null) {
    const message = `The package has no price for this subscription type in ${wallet.currency}. Read its prices.`;
    throw refusal('PriceNotFound', path, message);
  }
  return {
    type: license.type,
    productOfferingId: null,
    packageId: license.packageId,
    subscriptionTypeId: found.typeId,
    ...renewalWindow(license, until ? { until } : { days: found.days as number }, reader.ctx.now),
    price: wallet && found.price,
  };
}
