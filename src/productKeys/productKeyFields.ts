import { isEmail } from '../customers/customer.js';
import type { CreateProductKeyInput, UpdateProductKeyInput } from '../generated/graphql.js';
import { userError, type UserErrorData } from '../kernel/refusal.js';
import { checkTags, tagsOf } from '../kernel/tags.js';
import { checkLength, checkMetadata, presentText } from '../kernel/text.js';
import { thousandthsOf } from './meter.js';

type Fields = CreateProductKeyInput | UpdateProductKeyInput;

const GUID = /^[0-9a-f]{8}-?([0-9a-f]{4}-?){3}[0-9a-f]{12}$/i;
const codeFields = ['externalQuoteId', 'applicationExternalId', 'dataProviderConfigurationId'] as const;
const addressFields = [
  'notificationAddressesOnCreation',
  'notificationAddressesOnQuotaThreshold',
  'namedConsumers',
] as const;

/** Whatever follows from a start, such as the end of its trial or period, has a year of four digits. */
const LATEST_START = new Date('9900-01-01T00:00:00Z');
/** PostgreSQL's largest bigint. */
const MOST = 2n ** 63n - 1n;

/** What is wrong with fields that are given to create or update a product key; needs no I/O. */
export function fieldProblems(input: Fields): UserErrorData[] {
  const problems: UserErrorData[] = [];
  checkLength(problems, ['input', 'description'], input.description?.trim(), 1, 2000);
  for (const field of codeFields) checkLength(problems, ['input', field], presentText(input[field]), 1, 255);
  if (input.productIds?.length === 0) {
    problems.push(userError('InvalidInput', ['input', 'productIds'], 'Give at least one product.'));
  }
  if (input.start && input.start >= LATEST_START) {
    problems.push(userError('InvalidInput', ['input', 'start'], 'Give an instant before the year 9900.'));
  }
  checkCount(problems, 'quota', input.quota);
  const threshold = input.quotaNotificationThreshold;
  if (threshold != null && thousandthsOf(threshold) === null) {
    const message = 'Give a percentage from 0 to 100, with up to three decimals.';
    problems.push(userError('InvalidInput', ['input', 'quotaNotificationThreshold'], message));
  }
  for (const field of addressFields) {
    if (field in input) checkAddresses(problems, field, (input as Record<string, unknown>)[field] as string[] | null);
  }
  checkTags(problems, eachTagOf(input.tags));
  checkMetadata(problems, ['input', 'metadata'], input.metadata);
  return problems;
}

/** Adds a problem when a count is negative or larger than can be kept. */
export function checkCount(problems: UserErrorData[], field: string, count: bigint | null | undefined): void {
  if (count == null || (count >= 0n && count <= MOST)) return;
  problems.push(userError('InvalidInput', ['input', field], `Give 0 to ${MOST}; it is ${count}.`));
}

function checkAddresses(problems: UserErrorData[], field: string, addresses: readonly string[] | null | undefined) {
  addresses?.forEach((address, index) => {
    if (isEmail(address.trim())) return;
    const message = 'Give one e-mail address, such as erika@example.com.';
    problems.push(userError('InvalidInput', ['input', field, index], message));
  });
}

/** Adds a problem when the input's `key` is there and no GUID. */
export function checkGuid(problems: UserErrorData[], key: string | null | undefined): void {
  const text = presentText(key);
  if (text === null || GUID.test(text)) return;
  const message = 'Give a GUID such as 7C9E6679-7425-40DE-944B-E07FC1F90AE7, or leave it out to have one generated.';
  problems.push(userError('InvalidInput', ['input', 'key'], message));
}

/** Adds a problem when the input's `expiration` is not in the future, or not behind the start. */
export function checkExpiration(
  problems: UserErrorData[],
  expiration: Date | null | undefined,
  { start, now }: { start: Date; now: Date },
): void {
  if (!expiration || (expiration > now && expiration > start)) return;
  const message = expiration > now ? 'Give an instant after the start.' : 'Give an instant in the future.';
  problems.push(userError('InvalidExpiry', ['input', 'expiration'], `${message} Or leave it out.`));
}

/** Given tags, each once, in their order. */
export function eachTagOf(tags: readonly string[] | null | undefined): string[] {
  return [...new Set(tagsOf(tags))];
}
