import type { LicenseAssignment, LicenseAssignmentInput } from '../generated/graphql.js';
import type { License } from '../generated/prisma/client.js';
import type { UserErrorData } from '../kernel/refusal.js';
import { checkLength, checkMetadata, mergedMetadata, presentText, type Metadata } from '../kernel/text.js';

/** What a license is assigned to, from an input that was checked. */
export interface Assignment {
  readonly type: string;
  readonly id: string;
  readonly displayName: string | null;
  readonly details: Metadata | null;
}

/** Adds what is wrong with the input's `assignedTo`: InvalidInput. */
export function assigneeProblems(
  problems: UserErrorData[],
  assignedTo: LicenseAssignmentInput | null | undefined,
): void {
  if (!assignedTo) return;
  const path = ['input', 'assignedTo'];
  checkLength(problems, [...path, 'type'], assignedTo.type.trim(), 1, 64);
  checkLength(problems, [...path, 'id'], assignedTo.id.trim(), 1, 255);
  checkLength(problems, [...path, 'displayName'], presentText(assignedTo.displayName), 1, 255);
  checkMetadata(problems, [...path, 'details'], assignedTo.details);
}

/** The assignment that an input asks for; null: to nothing. */
export function assignmentFor(assignedTo: LicenseAssignmentInput | null | undefined): Assignment | null {
  if (!assignedTo) return null;
  const { type, id, displayName, details } = assignedTo;
  return {
    type: type.trim(),
    id: id.trim(),
    displayName: presentText(displayName),
    details: details ? mergedMetadata({}, details) : null,
  };
}

/** The same, as columns. */
export function assignmentColumns(assignedTo: LicenseAssignmentInput | null | undefined) {
  const assignment = assignmentFor(assignedTo);
  return {
    assignedToType: assignment?.type ?? null,
    assignedToId: assignment?.id ?? null,
    assignedToDisplayName: assignment?.displayName ?? null,
    assignedToDetails: assignment?.details ?? null,
  };
}

/** Columns that say what a license is assigned to. */
export const assignedColumns = [
  'assignedToType',
  'assignedToId',
  'assignedToDisplayName',
  'assignedToDetails',
] as const satisfies readonly (keyof License)[];

/** What a license is assigned to; null: nothing. */
export function assignmentOf(license: Pick<License, (typeof assignedColumns)[number]>): LicenseAssignment | null {
  const { assignedToType: type, assignedToId: id, assignedToDisplayName: displayName, assignedToDetails } = license;
  if (type === null || id === null) return null;
  return { type, id, displayName, details: assignedToDetails as Metadata | null };
}
