import { Prisma } from '../generated/prisma/client.js';
import type { RequestContext } from '../kernel/requestContext.js';
import type { Mode } from '../kernel/viewer.js';
import { keyHmacsIn } from '../licenseKeys/keyHmacs.js';
import type { DeviceFacts, Facts, GrantFacts, KeyFacts, LicenseFacts, ProductFacts, Question } from './facts.js';
import { bothModes, type KeyHolder } from './keyHolder.js';
import { factsOfMany, factsOfOne } from './statement.js';

/** A question with the key that it is about. */
export interface KeyQuestion extends Question {
  readonly key: string;
  readonly mode: Mode;
}

/** Runs a prepared statement: on the reading pool, or inside a transaction. */
type RunStatement = <Row extends object>(name: string, text: string, values: unknown[]) => Promise<Row[]>;

interface FactsRow {
  /** Whether the key is the one that was asked about, and not another one in its place. */
  isHit: boolean;
  product: ProductFacts | null;
  isInOtherMode: boolean;
  isPooled: boolean;
  replacedUntil: Date | null;
  key: KeyFacts['key'] | null;
  brandId: string;
  customerNumber: string;
  isErased: boolean;
  licenses: LicenseFacts[] | null;
  grants: GrantFacts[] | null;
  products: ProductFacts[] | null;
  activationsUsed: number;
  device: DeviceFacts | null;
}

/** What the database knows about questions, in their order: one statement for all of them, whatever the keys are. */
export async function readFacts(
  { keyring, now }: Pick<RequestContext, 'keyring' | 'now'>,
  run: RunStatement,
  holder: KeyHolder,
  questions: readonly KeyQuestion[],
): Promise<Facts[]> {
  const values = questions.flatMap(({ key, mode }, i) =>
    keyHmacsIn(keyring, holder.businessId, bothModes(mode), key).map((value) => ({ n: i + 1, ...value })),
  );
  const rows = await readRows(run, [holder.businessId, now], questions, values);
  if (rows.length !== questions.length) throw new Error('a license key was found twice');
  return rows.map((row, i) => factsOf(row, questions[i] as KeyQuestion));
}

interface LookupValue {
  readonly n: number;
  readonly mode: Mode;
  readonly keyHmac: Buffer;
}

function readRows(
  run: RunStatement,
  common: readonly unknown[],
  questions: readonly KeyQuestion[],
  values: readonly LookupValue[],
): Promise<FactsRow[]> {
  const fields = ['mode', 'productSku', 'version', 'fingerprint', 'at'] as const;
  const lookups = [values.map(({ mode }) => mode), values.map(({ keyHmac }) => keyHmac)];
  const [first, ...others] = questions;
  if (first && others.length === 0) {
    return run('facts_of_one_key', factsOfOne, [...common, ...fields.map((field) => first[field]), ...lookups]);
  }
  const lists = fields.map((field) => questions.map((question) => question[field]));
  return run('facts_of_many_keys', factsOfMany, [...common, ...lists, values.map(({ n }) => n), ...lookups]);
}

function factsOf(row: FactsRow, { mode }: KeyQuestion): Facts {
  const { isHit, isInOtherMode, isPooled, product } = row;
  const nearest = row.key && keyFactsOf(row, row.key);
  const asked = product && productOf(product);
  return { mode, found: isHit ? nearest : null, nearest, isPooled, isInOtherMode, product: asked };
}

function keyFactsOf(row: FactsRow, key: KeyFacts['key']): KeyFacts {
  const { replacedUntil, brandId, customerNumber, isErased, activationsUsed, device } = row;
  return {
    key: withDates(key, keyDates),
    brandId,
    customerNumber,
    isErased,
    replacedUntil,
    licenses: (row.licenses ?? []).map(({ license, products }) => ({
      license: withDates(license, licenseDates),
      products: (products ?? []).map(productOf),
    })),
    products: (row.products ?? []).map(productOf),
    grants: row.grants ?? [],
    activationsUsed,
    device: device && { ...device, activation: withDates(device.activation, activationDates) },
  };
}

function productOf(product: ProductFacts): ProductFacts {
  const { version } = product;
  return { ...withDates(product, ['archivedAt']), version: version && withDates(version, ['publishedAt']) };
}

const keyDates = datesOf(Prisma.LicenseKeyScalarFieldEnum);
const licenseDates = datesOf(Prisma.LicenseScalarFieldEnum);
const activationDates = datesOf(Prisma.ActivationScalarFieldEnum);

/** Every field is named so that one sees what is an instant. */
function datesOf(fields: object): string[] {
  return Object.keys(fields).filter((name) => /(At|From|Until|Since)$/.test(name));
}

/** What was read as JSON, with its instants as dates again. */
function withDates<Row extends object>(json: Row, names: readonly string[]): Row {
  const row = json as Record<string, unknown>;
  for (const name of names) {
    const text = row[name];
    if (typeof text === 'string') row[name] = new Date(text);
  }
  return json;
}
