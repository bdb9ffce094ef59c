import { ClientError } from '../kernel/clientError.js';

/** Control characters but tab, line feed and carriage return. */
// eslint-disable-next-line no-control-regex -- refusing them is what this expression is for
const FORBIDDEN = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f]/;

/** How long lists in inputs may be: ordinary ones, and the `rows` of bulk operations. */
export interface ListLimits {
  readonly inputList: number;
  readonly bulkList: number;
}

/**
 * Refuses what no field takes, wherever it stands in the arguments: NUL, control characters, lone surrogates, lists that are
 * too long. PostgreSQL would fault on the first; the others hide in logs and mails.
 * @throws ClientError BAD_USER_INPUT naming the place
 */
export function checkInput(value: unknown, path: string, limits: ListLimits): void {
  if (typeof value === 'string') checkString(value, path);
  else if (Array.isArray(value)) checkList(value, path, limits);
  else if (typeof value === 'object' && value !== null && !(value instanceof Date)) {
    for (const [name, inner] of Object.entries(value)) {
      checkString(name, path);
      checkInput(inner, path ? `${path}.${name}` : name, limits);
    }
  }
}

function checkString(text: string, path: string): void {
  if (FORBIDDEN.test(text)) throw badInput(path, 'has a control character. Take it out.');
  if (!text.isWellFormed()) throw badInput(path, 'is not well-formed Unicode: it has half of a surrogate pair.');
}

function checkList(list: unknown[], path: string, limits: ListLimits): void {
  const maximum = path.endsWith('.rows') ? limits.bulkList : limits.inputList;
  if (list.length > maximum) throw badInput(path, `has ${list.length} items; give at most ${maximum}.`);
  list.forEach((item, index) => checkInput(item, `${path}.${index}`, limits));
}

function badInput(path: string, what: string): ClientError {
  return new ClientError('BAD_USER_INPUT', `"${path}" ${what}`, { argument: path });
}
