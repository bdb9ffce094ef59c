import { userError, type UserErrorData } from './refusal.js';
import { checkLength } from './text.js';

const MAX_TAGS = 50;

/** Tags of a list, or of one string with commas, which GraphQL reads as a list of one. Blank ones are none. */
export function tagsOf(tags: readonly string[] | null | undefined): string[] {
  return (tags ?? [])
    .flatMap((tag) => tag.split(','))
    .map((tag) => tag.trim())
    .filter((tag) => tag !== '');
}

/** Adds problems when there are more than 50 of the input's `tags`, or one is longer than 64 characters. */
export function checkTags(problems: UserErrorData[], tags: readonly string[]): void {
  if (tags.length > MAX_TAGS) {
    const message = `Give at most ${MAX_TAGS} tags; there are ${tags.length}.`;
    problems.push(userError('InvalidInput', ['input', 'tags'], message));
  }
  tags.forEach((tag, index) => checkLength(problems, ['input', 'tags', index], tag, 1, 64));
}
