import { refuseIfAny, userError, type UserErrorData } from './refusal.js';

/** Metadata as rules see it: a flat map of scalars. */
export type Metadata = Record<string, string | number | boolean>;
type MetadataInput = Record<string, string | number | boolean | null>;

/** Texts of up to so many characters are names, codes and keys. */
const ONE_LINE = 512;
const MAX_PAIRS = 50;
const MAX_KEY = 40;
const MAX_VALUE = 500;

/** Text without white space at its ends; null when nothing is left or there was none. Blank means absent. */
export function presentText(text: string | null | undefined): string | null {
  const trimmed = text?.trim();
  return trimmed ? trimmed : null;
}

/**
 * Adds a problem when a text is shorter or longer than it may be, in characters, or a short one has line breaks or tabs: names
 * and keys are one line. Absent text is not checked.
 */
export function checkLength(
  problems: UserErrorData[],
  path: readonly (string | number)[],
  text: string | null | undefined,
  minimum: number,
  maximum: number,
): void {
  if (text == null) return;
  const length = [...text].length;
  if (length < minimum || length > maximum) {
    problems.push(userError('InvalidInput', path, `Give ${minimum} to ${maximum} characters; there are ${length}.`));
  } else if (maximum <= ONE_LINE && /[\r\n\t]/.test(text)) {
    problems.push(userError('InvalidInput', path, 'Give one line, without line breaks or tabs.'));
  }
}

/** Adds a problem for each field of an update that is null but cannot be cleared. Absent fields are left as they are. */
export function checkNotNull<Input extends object>(
  problems: UserErrorData[],
  input: Input,
  ...fields: (keyof Input & string)[]
): void {
  for (const field of fields) {
    if (input[field] !== null) continue;
    problems.push(userError('InvalidInput', ['input', field], 'It cannot be cleared. Give a value, or leave it out.'));
  }
}

/** Adds a problem when a whole number lies outside its range. Absent numbers are not checked. */
export function checkRange(
  problems: UserErrorData[],
  path: readonly (string | number)[],
  value: number | null | undefined,
  minimum: number,
  maximum: number,
): void {
  if (value == null || (value >= minimum && value <= maximum)) return;
  problems.push(userError('InvalidInput', path, `Give a number from ${minimum} to ${maximum}; it is ${value}.`));
}

/** Adds a problem when metadata has a key or value that is too long. */
export function checkMetadata(
  problems: UserErrorData[],
  path: readonly (string | number)[],
  metadata: MetadataInput | null | undefined,
): void {
  const entries = Object.entries(metadata ?? {});
  if (entries.length > MAX_PAIRS) {
    problems.push(userError('InvalidInput', path, `Give at most ${MAX_PAIRS} pairs; there are ${entries.length}.`));
  }
  for (const [key, value] of entries) {
    if (key.length === 0 || key.length > MAX_KEY) {
      problems.push(userError('InvalidInput', [...path, key], `Give keys of 1 to ${MAX_KEY} characters.`));
    }
    if (typeof value === 'string' && value.length > MAX_VALUE) {
      problems.push(userError('InvalidInput', [...path, key], `Give values of at most ${MAX_VALUE} characters.`));
    }
  }
}

/**
 * Metadata after an update: pairs are merged, a null value removes its key, null for the whole clears it, absent leaves it.
 * @throws nothing; check the outcome's size with `checkMetadata`
 */
export function mergedMetadata(current: unknown, change: MetadataInput | null | undefined): Metadata {
  if (change === undefined) return current as Metadata;
  if (change === null) return {};
  const merged: MetadataInput = { ...(current as Metadata), ...change };
  return Object.fromEntries(Object.entries(merged).filter((pair): pair is [string, string] => pair[1] !== null));
}

/**
 * The same, for the `metadata` of an input.
 * @throws Refusal InvalidInput when keys or values are too long, or more pairs come out than there may be
 */
export function mergedMetadataWithin(current: unknown, change: MetadataInput | null | undefined): Metadata {
  const metadata = mergedMetadata(current, change);
  const problems: UserErrorData[] = [];
  if (change) checkMetadata(problems, ['input', 'metadata'], metadata);
  refuseIfAny(problems);
  return metadata;
}
