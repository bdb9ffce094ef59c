import type { RequestContext } from '../kernel/requestContext.js';
import type { Mode } from '../kernel/viewer.js';
import { keyHmacs } from '../licenseKeys/keyHmacs.js';
import type { DeviceFacts, Facts, GrantFacts, KeyFacts, LicenseFacts, ProductFacts, Question } from './facts.js';
import { rememberPatterns, type ExclusivePatterns } from './impossibleKeys.js';
import { bothModes, type KeyHolder } from './keyHolder.js';
import { whyUnknown } from './keyProblem.js';
import { factsOfMany, factsOfOne } from './statement.js';

/** A question with the key that it is about. */
export interface KeyQuestion extends Question {
  readonly key: string;
  readonly mode: Mode;
}

/** Runs a prepared statement: on the reading pool, or inside a transaction. */
type RunStatement = <Row extends object>(name: string, text: string, values: unknown[]) => Promise<Row[]>;

interface FactsRow {
  patterns: ExclusivePatterns | null;
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
    bothModes(holder, mode).flatMap((tenant) =>
      keyHmacs(keyring, tenant, key).map(({ keyHmac }) => ({ n: i + 1, mode: tenant.mode, keyHmac })),
    ),
  );
  const rows = await readRows(run, [holder.businessId, now], questions, values);
  if (rows.length !== questions.length) throw new Error('a license key was found twice');
  rememberPatterns(holder.businessId, rows[0]?.patterns ?? null);
  return rows.map((row, i) => factsOf(row, holder, questions[i] as KeyQuestion));
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

function factsOf(row: FactsRow, { businessId }: KeyHolder, { key, mode }: KeyQuestion): Facts {
  const { isInOtherMode, isPooled, replacedUntil, brandId, customerNumber, isErased, activationsUsed } = row;
  const found = row.key && {
    key: revived(row.key),
    brandId,
    customerNumber,
    isErased,
    replacedUntil,
    licenses: (row.licenses ?? []).map(revived),
    products: (row.products ?? []).map(revived),
    grants: row.grants ?? [],
    activationsUsed,
    device: row.device && revived(row.device),
  };
  return {
    mode,
    whyUnknown: whyUnknown(businessId, key),
    found,
    isPooled,
    isInOtherMode,
    product: row.product && revived(row.product),
  };
}

const isInstant = /(At|From|Until|Since)$/;
/** What a customer wrote stays as it is. */
const isOpaque = /^(metadata|details)$/;

/** JSON with its instants as dates again: every field is named so that one sees what is one. */
function revived<Json>(json: Json): Json {
  if (Array.isArray(json)) return json.map(revived) as Json;
  if (typeof json !== 'object' || json === null) return json;
  const entries = Object.entries(json).map(([name, value]: [string, unknown]) => {
    if (typeof value === 'string' && isInstant.test(name)) return [name, new Date(value)];
    return [name, isOpaque.test(name) ? value : revived(value)];
  });
  return Object.fromEntries(entries) as Json;
}
