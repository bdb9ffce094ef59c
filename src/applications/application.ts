import type { CreateApplicationInput, UpdateApplicationInput } from '../generated/graphql.js';
import type { Application } from '../generated/prisma/client.js';
import { userError, type UserErrorData } from '../kernel/refusal.js';
import { checkLength, checkMetadata, presentText } from '../kernel/text.js';
import type { ConflictRefusals } from '../kernel/transaction.js';

type Fields = CreateApplicationInput | UpdateApplicationInput;

/** What is wrong with given fields, all at once; needs no I/O. */
export function applicationProblems(input: Fields): UserErrorData[] {
  const problems: UserErrorData[] = [];
  checkLength(problems, ['input', 'name'], input.name?.trim(), 1, 255);
  checkLength(problems, ['input', 'externalId'], presentText(input.externalId), 1, 255);
  checkLength(problems, ['input', 'description'], presentText(input.description), 1, 2000);
  checkMetadata(problems, ['input', 'metadata'], input.metadata);
  return problems;
}

/** Given fields as columns: blank text is none, absent fields are left out. */
export function applicationColumns(input: Fields) {
  const columns: Partial<Pick<Application, 'name' | 'externalId' | 'description' | 'metadata'>> = {};
  if (input.name != null) columns.name = input.name.trim();
  for (const field of ['externalId', 'description'] as const) {
    if (input[field] !== undefined) columns[field] = presentText(input[field]);
  }
  return columns;
}

/** What to answer when another application has a value that is one application's. */
export const applicationConflicts: ConflictRefusals = {
  applications_business_id_mode_external_id_key: () =>
    userError(
      'ExternalIdTaken',
      ['input', 'externalId'],
      'Another application has this external id. Update that one, or choose another id.',
    ),
};
