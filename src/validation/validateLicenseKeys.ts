import type { LicenseKeyCheckCode, ValidateLicenseKeyInput, ValidatedLicense } from '../generated/graphql.js';
import { ClientError } from '../kernel/clientError.js';
import type { RequestContext } from '../kernel/requestContext.js';
import { presentText } from '../kernel/text.js';
import { validityOf } from '../licenses/license.js';
import { checksOf, isValid } from './checks.js';
import type { Facts, JudgedLicense } from './facts.js';
import { judge, type Judgment } from './judge.js';
import { fingerprintProblem } from './judgeDevice.js';
import { keyHolder, modeAsked, type KeyHolder } from './keyHolder.js';
import { keyProblem } from './keyProblem.js';
import { readFacts, type KeyQuestion } from './readFacts.js';

/** What a check answers, as its resolvers read it. */
export type Validation = Awaited<ReturnType<typeof validateLicenseKeys>>[number];

const MAX_KEYS = 100;

/**
 * Checks license keys, in one statement for all that have the form of one. Unknown ones cost the caller's allowance: all are
 * paid for before the look-up, and the known ones paid back after it.
 * @returns an answer for each, in order
 * @throws ClientError BAD_USER_INPUT for none, more than 100, or `testMode` that differs from the token's; BRAND_NOT_FOUND;
 *   RATE_LIMITED
 */
export async function validateLicenseKeys(ctx: RequestContext, inputs: readonly ValidateLicenseKeyInput[]) {
  if (inputs.length < 1 || inputs.length > MAX_KEYS) {
    const message = `Give 1 to ${MAX_KEYS} license keys; there are ${inputs.length}.`;
    throw new ClientError('BAD_USER_INPUT', message, { argument: 'inputs' });
  }
  const holder = await keyHolder(ctx);
  const questions = inputs.map((input) => questionOf(holder, input, ctx.now));
  ctx.guesses?.take(inputs.length);
  const problems = new Map(questions.map((question) => [question, keyProblem(holder, question.key)]));
  const wellFormed = questions.filter((question) => problems.get(question) === null);
  const read = wellFormed.length > 0 ? await readFacts(ctx, ctx.db.sql, holder, wellFormed) : [];
  const facts = new Map(wellFormed.map((question, i) => [question, read[i] as Facts]));
  ctx.guesses?.giveBack(read.filter(({ found, isInOtherMode }) => found || isInOtherMode).length);
  return questions.map((question) => {
    const judgment = facts.get(question) ?? problems.get(question) ?? 'KEY_NOT_FOUND';
    return answer(ctx.now, holder, question, judgment);
  });
}

/** Checks one license key; the same as a list of one. */
export async function validateLicenseKey(ctx: RequestContext, input: ValidateLicenseKeyInput): Promise<Validation> {
  return (await validateLicenseKeys(ctx, [input]))[0] as Validation;
}

function questionOf(holder: KeyHolder, input: ValidateLicenseKeyInput, now: Date): KeyQuestion {
  const mode = modeAsked(holder, input.testMode);
  if (mode === null) {
    const message = '`testMode` differs from what the token is for. Leave it out, or use a token of the other mode.';
    throw new ClientError('BAD_USER_INPUT', message, { argument: 'testMode' });
  }
  const { key, asOf } = input;
  return {
    key,
    mode,
    productSku: presentText(input.productSku),
    version: presentText(input.version),
    fingerprint: input.fingerprint ?? null,
    customerNumber: presentText(input.customerNumber),
    at: asOf ?? now,
  };
}

/** @param known what the database knows; else why it was not asked */
function answer(now: Date, holder: KeyHolder, question: KeyQuestion, known: Facts | LicenseKeyCheckCode) {
  const facts = typeof known === 'string' ? null : known;
  const judgment = facts && judge(holder, facts, question, now);
  const problems: (LicenseKeyCheckCode | null)[] = [
    typeof known === 'string' ? known : null,
    question.fingerprint === null ? null : fingerprintProblem(question.fingerprint),
  ];
  const codes = [...problems.filter((code) => code !== null), ...(judgment?.codes ?? [])];
  const checks = checksOf(new Set(codes));
  return {
    valid: isValid(checks),
    checks,
    ...toldOf(facts, judgment, question.at),
    asOf: question.at,
    checkedAt: now,
  };
}

/** What anybody who holds the key may know. */
export function toldOf(facts: Facts | null, judgment: Judgment | null, at: Date) {
  const found = judgment?.isTold ? facts?.found : null;
  const license = judgment?.license ?? null;
  const isUsable = found && (!license || licenseShown(license, at).isActive);
  const living = (found?.grants ?? []).filter(
    ({ status, licenseId, gaveKey }) => status !== 'REVOKED' && (gaveKey || licenseId === (license?.id ?? null)),
  );
  return {
    license: license && licenseShown(license, at),
    product: judgment?.product ?? null,
    entitlements: isUsable
      ? living.map(({ name, integrationType, status }) => ({ name, integrationType, status }))
      : [],
    activation: found?.device?.activation ?? null,
    activationsUsed: found?.activationsUsed ?? null,
    activationsLimit: found?.key.activationsLimit ?? null,
    expiresAt: judgment?.expiresAt ?? null,
  };
}

/** @param license as it is at the instant */
function licenseShown(license: JudgedLicense, at: Date): ValidatedLicense {
  const { status, type, validFrom, validUntil } = license;
  const validity = validityOf(license, at);
  const isActive = status === 'ACTIVE' && validity === 'CURRENT';
  return { status, type, validFrom, validUntil, validity, isActive, isPermanent: validUntil === null };
}
