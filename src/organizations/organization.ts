import type { CreateOrganizationInput, UpdateOrganizationInput } from '../generated/graphql.js';
import type { Organization } from '../generated/prisma/client.js';
import { countries } from '../kernel/countries.js';
import { userError, type UserErrorData } from '../kernel/refusal.js';
import { checkLength, checkMetadata, presentText } from '../kernel/text.js';
import type { ConflictRefusals } from '../kernel/transaction.js';

type Fields = CreateOrganizationInput | UpdateOrganizationInput;

/** What is wrong with given fields, all at once; needs no I/O. */
export function organizationProblems(input: Fields): UserErrorData[] {
  const problems: UserErrorData[] = [];
  checkLength(problems, ['input', 'name'], input.name?.trim(), 1, 255);
  checkLength(problems, ['input', 'externalId'], presentText(input.externalId), 1, 255);
  checkLength(problems, ['input', 'description'], presentText(input.description), 1, 2000);
  checkLength(problems, ['input', 'vatNumber'], presentText(input.vatNumber), 1, 64);
  const country = presentText(input.countryCode3Letter);
  if (country !== null && !countries.has(country)) {
    const message = 'Give a country of ISO 3166-1: three upper-case letters, such as DEU.';
    problems.push(userError('InvalidInput', ['input', 'countryCode3Letter'], message));
  }
  checkMetadata(problems, ['input', 'metadata'], input.metadata);
  return problems;
}

/** Given fields as columns: blank text is none, absent fields are left out. */
export function organizationColumns(input: Fields) {
  const columns: Partial<
    Pick<Organization, 'name' | 'externalId' | 'description' | 'vatNumber' | 'countryCode' | 'metadata'>
  > = {};
  if (input.name != null) columns.name = input.name.trim();
  for (const field of ['externalId', 'description', 'vatNumber'] as const) {
    if (input[field] !== undefined) columns[field] = presentText(input[field]);
  }
  if (input.countryCode3Letter !== undefined) columns.countryCode = presentText(input.countryCode3Letter);
  return columns;
}

/** What to answer when another organization has a value that is one organization's. */
export const organizationConflicts: ConflictRefusals = {
  organizations_business_id_mode_external_id_key: () =>
    userError(
      'ExternalIdTaken',
      ['input', 'externalId'],
      'Another organization has this external id. Update that one, or choose another id.',
    ),
};
