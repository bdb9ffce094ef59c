import type { LicenseKeyCheckCode } from '../generated/graphql.js';
import type { LicenseStatus, RevocationReason } from '../generated/prisma/client.js';
import { validityOf } from '../licenses/license.js';
import type { Facts, JudgedLicense, KeyFacts, LicenseFacts, ProductFacts, Question } from './facts.js';
import { judgeDevice } from './judgeDevice.js';
import { isEnded, judgedLicense, lastsUntil } from './judgedLicense.js';
import type { KeyHolder } from './keyHolder.js';

type Code = LicenseKeyCheckCode;

/** What came of a question. */
export interface Judgment {
  readonly codes: ReadonlySet<Code>;
  /** Whether anything may be told of the key beyond the codes. */
  readonly isTold: boolean;
  readonly license: JudgedLicense | null;
  readonly product: ProductFacts | null;
  readonly expiresAt: Date | null;
}

const DAY = 86_400_000;
const SOON_MS = 7 * DAY;
const untold = { isTold: false, license: null, product: null, expiresAt: null };

/**
 * Judges a key that was looked up, its devices as they stand now and all else at the question's instant. What belongs elsewhere
 * is told by one code and nothing more.
 */
export function judge(holder: KeyHolder, facts: Facts, question: Question, now: Date): Judgment {
  const { found, nearest } = facts;
  const judgment = nearest && judgeFound(facts, nearest, question, now);
  const elsewhere = found ? keyElsewhere(holder, found, question) : keyMissing(facts);
  return elsewhere === null && judgment ? judgment : { ...untold, codes: new Set([elsewhere ?? 'KEY_NOT_FOUND']) };
}

function judgeFound(facts: Facts, found: KeyFacts, question: Question, now: Date): Judgment {
  const { at } = question;
  const chosen = judgedLicense(found.licenses, at);
  const product = productOf(facts, found, chosen, question);
  const windowEnd = chosen && lastsUntil(chosen.license, found.licenses, at);
  const isDisabled = found.key.status === 'DISABLED' || isEnded(found.licenses, at);
  const codes: Code[] = [
    ...judgeKey(found, isDisabled, at),
    ...(chosen ? judgeLicense(chosen.license, windowEnd, at) : []),
    ...(isDisabled ? judgeGrant(found) : []),
    ...judgeProduct(facts, found, chosen, question),
    ...(product ? judgeVersion(product, question) : []),
    ...judgeCustomer(found, question),
    ...judgeDevice(found, question, now),
  ];
  const ends = [found.key.expiresAt, windowEnd, found.replacedUntil].filter((end) => end !== null);
  return {
    codes: new Set(codes),
    isTold: true,
    license: chosen?.license ?? null,
    product,
    expiresAt: ends.length > 0 ? new Date(Math.min(...ends.map((end) => end.getTime()))) : null,
  };
}

/** Why a key was not found in the mode that was asked about. */
function keyMissing({ isPooled, isInOtherMode, mode }: Facts): Code {
  if (isPooled) return 'KEY_NOT_ISSUED';
  if (!isInOtherMode) return 'KEY_NOT_FOUND';
  return mode === 'LIVE' ? 'KEY_OF_TEST_MODE' : 'KEY_OF_LIVE_MODE';
}

function keyElsewhere({ brandId }: KeyHolder, found: KeyFacts, { at }: Question): Code | null {
  if (brandId !== null && brandId !== found.brandId) return 'BRAND_MISMATCH';
  return at < found.key.createdAt ? 'KEY_NOT_YET_CREATED' : null;
}

function judgeKey({ key, replacedUntil }: KeyFacts, isDisabled: boolean, at: Date): Code[] {
  const codes: Code[] = [];
  if (isDisabled) codes.push('KEY_DISABLED');
  if (key.expiresAt) codes.push(...ending(key.expiresAt, at, 'KEY_EXPIRED', 'KEY_EXPIRES_SOON'));
  if (replacedUntil) codes.push(replacedUntil <= at ? 'KEY_REPLACED' : 'KEY_REPLACED_SOON');
  return codes;
}

function ending(end: Date, at: Date, ended: Code, soon: Code): Code[] {
  if (end <= at) return [ended];
  return end.getTime() - at.getTime() <= SOON_MS ? [soon] : [];
}

const stopped: Partial<Record<LicenseStatus, Code>> = {
  PAUSED: 'LICENSE_PAUSED',
  BLOCKED: 'LICENSE_BLOCKED',
  CANCELLED: 'LICENSE_CANCELLED',
};

const scheduled: Partial<Record<LicenseStatus, Code>> = {
  PAUSED: 'LICENSE_PAUSE_SCHEDULED',
  BLOCKED: 'LICENSE_BLOCK_SCHEDULED',
  CANCELLED: 'LICENSE_CANCELLATION_SCHEDULED',
};

/** @param license as it is at the instant; @param lastsUntil its end, or that of those that follow it */
function judgeLicense(license: JudgedLicense, lastsUntil: Date | null, at: Date): Code[] {
  const codes: Code[] = [];
  const { status, validUntil, pendingStatus, pendingOfferingAt } = license;
  const validity = validityOf(license, at);
  const isStopped = stopped[status];
  if (isStopped) codes.push(isStopped);
  if (validity === 'NOT_STARTED') codes.push('LICENSE_NOT_STARTED');
  if (validity === 'EXPIRED') codes.push('LICENSE_EXPIRED');
  if (validity === 'CURRENT' && validUntil && lastsUntil && status !== 'CANCELLED') {
    // A scheduled cancellation has a warning of its own.
    if (validUntil <= lastsUntil) codes.push(...ending(validUntil, at, 'LICENSE_EXPIRED', 'LICENSE_EXPIRES_SOON'));
  }
  const isScheduled = pendingStatus && scheduled[pendingStatus];
  if (isScheduled) codes.push(isScheduled);
  if (pendingOfferingAt && pendingOfferingAt > at && status !== 'CANCELLED') {
    codes.push('LICENSE_OFFERING_CHANGE_SCHEDULED');
  }
  return codes;
}

const takenBack: Partial<Record<RevocationReason, Code>> = {
  MANUAL: 'GRANT_REVOKED',
  PLATFORM: 'GRANT_REVOKED',
  REFUND: 'GRANT_REFUNDED',
  PLAN_CHANGED: 'GRANT_PLAN_CHANGED',
};

/** Why a key that is switched off was: a grant that was taken back leaves the key to other licenses. */
function judgeGrant({ grants }: KeyFacts): Code[] {
  return grants.flatMap(({ gaveKey, status, revocationReason }) => {
    const code = gaveKey && status === 'REVOKED' && revocationReason ? takenBack[revocationReason] : undefined;
    return code ? [code] : [];
  });
}

/** What a key is for: its license's products, else what it was given with; empty: anything. */
function productsOf(found: KeyFacts, chosen: LicenseFacts | null): readonly ProductFacts[] {
  return chosen ? (chosen.products ?? []) : found.products;
}

function productOf(
  facts: Facts,
  found: KeyFacts,
  chosen: LicenseFacts | null,
  { productSku }: Question,
): ProductFacts | null {
  const products = productsOf(found, chosen);
  const asked = products.find(({ sku }) => sku === productSku) ?? (products.length === 0 ? facts.product : null);
  return asked ?? products[0] ?? null;
}

function judgeProduct(facts: Facts, found: KeyFacts, chosen: LicenseFacts | null, question: Question): Code[] {
  const products = productsOf(found, chosen);
  const { productSku, at } = question;
  const { product } = facts;
  const codes: Code[] = [];
  if (productSku !== null && !product) codes.push('PRODUCT_NOT_FOUND');
  if (product && products.length > 0 && !products.some(({ id }) => id === product.id)) codes.push('PRODUCT_MISMATCH');
  const archivedAt = productOf(facts, found, chosen, question)?.archivedAt;
  if (archivedAt && archivedAt <= at) codes.push('PRODUCT_ARCHIVED');
  return codes;
}

function judgeVersion(product: ProductFacts, { version, at }: Question): Code[] {
  if (version === null) return [];
  if (!product.version) return ['VERSION_NOT_FOUND'];
  const { publishedAt } = product.version;
  if (!publishedAt || publishedAt > at) return ['VERSION_NOT_PUBLISHED'];
  return product.latestPublicVersionName === version ? [] : ['VERSION_OUTDATED'];
}

function judgeCustomer(found: KeyFacts, { customerNumber }: Question): Code[] {
  return customerNumber === null || customerNumber === found.customerNumber ? [] : ['CUSTOMER_MISMATCH'];
}
