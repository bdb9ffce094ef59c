import { GraphQLError, Kind, valueFromASTUntyped, type GraphQLScalarType, type ValueNode } from 'graphql';
import { GraphQLDate, GraphQLJSON } from 'graphql-scalars';

type ScalarFunctions = Pick<GraphQLScalarType, 'serialize' | 'parseValue' | 'parseLiteral'>;

function bad(message: string): GraphQLError {
  return new GraphQLError(message, { extensions: { code: 'BAD_USER_INPUT' } });
}

/** A scalar whose literal in a document means what the same JSON value in a variable means. */
function scalar(serialize: (value: never) => unknown, parse: (value: unknown) => unknown): ScalarFunctions {
  return {
    serialize: serialize as (value: unknown) => unknown,
    parseValue: parse,
    parseLiteral: (node: ValueNode, variables) => parse(valueFromASTUntyped(node, variables)),
  };
}

const INSTANT = /^(\d{4})-(\d\d)-(\d\d)(?:[Tt ](\d\d):(\d\d)(?::(\d\d)(?:\.(\d{1,9}))?)?)?\s*([Zz]|[+-]\d\d:\d\d)?$/;

/** Reads an instant. Without a zone it is UTC; finer than milliseconds is cut off; 30 February is refused, not moved. */
function parseDateTime(value: unknown): Date {
  const match = typeof value === 'string' ? INSTANT.exec(value) : null;
  if (!match) throw bad('Give an instant such as "2026-03-01T12:00:00.000Z".');
  const [, year, month, day, hour = '00', minute = '00', second = '00', fraction = '', zone = 'Z'] = match;
  const local = `${year}-${month}-${day}T${hour}:${minute}:${second}.${fraction.slice(0, 3).padEnd(3, '0')}Z`;
  const date = new Date(local);
  if (Number.isNaN(date.getTime()) || date.toISOString() !== local || year === '0000') {
    throw bad(`${String(value)} is no such day or time.`);
  }
  const instant = new Date(date.getTime() - offsetMinutesOf(zone) * 60_000);
  // An offset can carry the first or the last day out of the years that a date has four digits for.
  if (!/^(?!0000)\d{4}-/.test(instant.toISOString())) throw bad(`${String(value)} lies outside the years 1 to 9999.`);
  return instant;
}

/** Reads an instant that may also be milliseconds since 1970, as clients of a source send them. */
function parseInstant(value: unknown): Date {
  const isMilliseconds = typeof value === 'number' || (typeof value === 'string' && /^-?\d{5,16}$/.test(value));
  if (!isMilliseconds) return parseDateTime(value);
  const milliseconds = Number(value);
  if (!Number.isSafeInteger(milliseconds)) throw bad('Give whole milliseconds since 1970.');
  const date = new Date(milliseconds);
  if (Number.isNaN(date.getTime()) || !/^(?!0000)\d{4}-/.test(date.toISOString())) {
    throw bad(`${String(value)} lies outside the years 1 to 9999.`);
  }
  return date;
}

function offsetMinutesOf(zone: string): number {
  if (zone.toUpperCase() === 'Z') return 0;
  const [hours, minutes] = [Number(zone.slice(1, 3)), Number(zone.slice(4, 6))];
  if (hours > 14 || minutes > 59) throw bad(`${zone} is no offset from UTC.`);
  return (hours * 60 + minutes) * (zone.startsWith('-') ? -1 : 1);
}

const PLAIN_DECIMAL = /^-?\d{1,30}(\.\d{1,30})?$/;

/** Reads a decimal as text without superfluous zeros. A JSON number is only as exact as 15 significant digits. */
function parseDecimal(value: unknown): string {
  if (typeof value === 'string' && PLAIN_DECIMAL.test(value)) return canonicalDecimal(value);
  if (typeof value === 'number') {
    const text = String(value);
    if (PLAIN_DECIMAL.test(text) && text.replace(/^-?0*\.?0*|\.|-/g, '').length <= 15) return canonicalDecimal(text);
  }
  throw bad('Give a plain decimal as a string, such as "19.90".');
}

/** One spelling for one number, so that 10, "10.0" and "10.00" are the same input to an idempotency key. */
function canonicalDecimal(text: string): string {
  const [, sign = '', whole = '', fraction = ''] = /^(-?)0*(\d+?)(?:\.(\d*?)0*)?$/.exec(text) ?? [];
  return `${sign}${whole}${fraction && `.${fraction}`}`;
}

/** The shape only; whether there is such a currency is the use cases' business. */
function parseCurrency(value: unknown): string {
  if (typeof value === 'string' && /^[A-Z]{3}$/.test(value)) return value;
  throw bad('Give a currency as three upper-case letters, such as "EUR".');
}

/** What PostgreSQL's `bigint` holds, and no more. */
function parseBigInt(value: unknown): bigint {
  if (typeof value === 'number' && Number.isSafeInteger(value)) return BigInt(value);
  if (typeof value !== 'string' || !/^-?\d{1,19}$/.test(value)) throw bad('Give a whole number.');
  const number = BigInt(value);
  if (BigInt.asIntN(64, number) === number) return number;
  throw bad('Give a whole number from -9223372036854775808 to 9223372036854775807.');
}

function parseMetadata(value: unknown): Record<string, unknown> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw bad('Give a flat object such as {"team": "blue"}.');
  }
  for (const [key, inner] of Object.entries(value)) {
    const isScalar = inner === null || ['string', 'boolean'].includes(typeof inner) || Number.isFinite(inner);
    if (!isScalar) throw bad(`The value of "${key}" is no string, number or boolean.`);
  }
  return Object.fromEntries(Object.entries(value));
}

/** What the SDL's own scalars do. Shape only: ranges and existence are the use cases' business. */
export const scalars: Readonly<Record<string, ScalarFunctions>> = {
  DateTime: scalar((date: Date) => date.toISOString(), parseDateTime),
  Instant: scalar((date: Date) => date.toISOString(), parseInstant),
  Date: {
    serialize: (value) => (value as Date).toISOString().slice(0, 10),
    parseValue: (value) => GraphQLDate.parseValue(value),
    parseLiteral: (node, variables) => GraphQLDate.parseLiteral(node, variables),
  },
  Decimal: {
    ...scalar((text: string) => text, parseDecimal),
    // The digits of a literal are taken as they stand, not through a floating-point number.
    parseLiteral: (node) =>
      parseDecimal(node.kind === Kind.INT || node.kind === Kind.FLOAT || node.kind === Kind.STRING ? node.value : null),
  },
  Currency: scalar((code: string) => code, parseCurrency),
  BigInt: {
    ...scalar((number: bigint) => number.toString(), parseBigInt),
    parseLiteral: (node) => parseBigInt(node.kind === Kind.INT || node.kind === Kind.STRING ? node.value : null),
  },
  Metadata: scalar((map: object) => map, parseMetadata),
  JSON: GraphQLJSON,
};
