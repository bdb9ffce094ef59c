import type { CreateCustomerInput } from '../generated/graphql.js';
import type { Customer } from '../generated/prisma/client.js';
import { countries } from '../kernel/countries.js';
import { isLocale } from '../kernel/locale.js';
import { userError, type UserErrorData } from '../kernel/refusal.js';
import { checkLength, checkMetadata, presentText } from '../kernel/text.js';
import type { ConflictRefusals } from '../kernel/transaction.js';

/** The fields of a customer that callers give; absent means leave, null means clear. */
export type CustomerFields = Omit<CreateCustomerInput, 'idempotencyKey' | 'metadata' | 'organizationId'>;

const textFields = ['code', 'externalId', 'firstName', 'lastName', 'companyName'] as const;

/** Columns that say how a customer is called. */
export const nameColumns = [
  'companyName',
  'firstName',
  'lastName',
  'number',
] as const satisfies readonly (keyof Customer)[];

/** How a customer is called: company, else first and last name, else the number. */
export function customerName(customer: Pick<Customer, (typeof nameColumns)[number]>): string {
  const person = [customer.firstName, customer.lastName].filter(Boolean).join(' ');
  return customer.companyName ?? (person || customer.number);
}

/** What is wrong with given fields, all at once; needs no I/O. */
export function customerProblems(input: CreateCustomerInput): UserErrorData[] {
  const problems: UserErrorData[] = [];
  for (const field of textFields) checkLength(problems, ['input', field], presentText(input[field]), 1, 255);
  const email = presentText(input.email);
  if (email !== null && !isEmail(email)) {
    problems.push(userError('InvalidInput', ['input', 'email'], 'Give one e-mail address, such as erika@example.com.'));
  }
  const country = presentText(input.countryCode3Letter);
  if (country !== null && !countries.has(country)) {
    const message = 'Give a country of ISO 3166-1: three upper-case letters, such as DEU.';
    problems.push(userError('InvalidInput', ['input', 'countryCode3Letter'], message));
  }
  const locale = presentText(input.locale);
  if (locale !== null && !isLocale(locale)) {
    problems.push(userError('InvalidInput', ['input', 'locale'], 'Give a language tag of BCP 47, such as de-DE.'));
  }
  checkMetadata(problems, ['input', 'metadata'], input.metadata);
  return problems;
}

/** One plain address: no display name, no list, no white space; within the lengths of RFC 5321. */
export function isEmail(email: string): boolean {
  return (
    email.length <= 254 &&
    /^[^\s@,;<>()[\]\\":]{1,64}@[\p{L}\p{N}]([\p{L}\p{N}-]{0,61}[\p{L}\p{N}])?(\.[\p{L}\p{N}]([\p{L}\p{N}-]{0,61}[\p{L}\p{N}])?)+$/u.test(
      email,
    )
  );
}

/**
 * Given fields as columns: blank text is none, absent fields are left out. A new address is unverified until somebody says
 * otherwise.
 */
export function customerColumns(input: CustomerFields) {
  const columns: Partial<
    Pick<Customer, (typeof textFields)[number] | 'email' | 'isEmailVerified' | 'countryCode' | 'locale'>
  > = {};
  for (const field of textFields) {
    if (input[field] !== undefined) columns[field] = presentText(input[field]);
  }
  if (input.locale !== undefined) columns.locale = presentText(input.locale);
  if (input.countryCode3Letter !== undefined) columns.countryCode = presentText(input.countryCode3Letter);
  if (input.email !== undefined) columns.email = presentText(input.email);
  if (input.isEmailVerified != null) columns.isEmailVerified = input.isEmailVerified;
  return columns;
}

/** What to answer when another customer has a value that is one customer's. */
export const customerConflicts: ConflictRefusals = {
  customers_business_id_mode_code_key: () =>
    userError('CustomerCodeTaken', ['input', 'code'], 'Another customer has this code. Choose another one.'),
  customers_business_id_mode_external_id_key: () =>
    userError(
      'ExternalIdTaken',
      ['input', 'externalId'],
      'Another customer has this external id. Update that one, or use `upsertCustomer`.',
    ),
  customers_email_key: () =>
    userError(
      'EmailTaken',
      ['input', 'email'],
      'Another customer of the brand has this e-mail address. Update that one, or use `upsertCustomer`.',
    ),
};
