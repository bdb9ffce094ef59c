import type { Business } from '../generated/prisma/client.js';
import { refusal, userError, type UserErrorData } from '../kernel/refusal.js';
import { isLocale } from '../kernel/locale.js';
import { isCurrency } from '../kernel/money.js';
import { tenantOf } from '../kernel/requestContext.js';
import { presentText } from '../kernel/text.js';
import type { SqlTx } from '../kernel/transaction.js';

interface DefaultsInput {
  defaultCurrencyCode?: string | null;
  defaultLocale?: string | null;
}

/** Adds problems for defaults that are no currency or no language tag. */
export function checkDefaults(problems: UserErrorData[], input: DefaultsInput): void {
  const currency = input.defaultCurrencyCode;
  if (currency != null && !isCurrency(currency)) {
    const message = 'Give a currency of ISO 4217: three upper-case letters, such as EUR.';
    problems.push(userError('InvalidCurrency', ['input', 'defaultCurrencyCode'], message));
  }
  const locale = presentText(input.defaultLocale);
  if (locale !== null && !isLocale(locale)) {
    const message = 'Give a language tag of BCP 47, such as de-DE.';
    problems.push(userError('InvalidInput', ['input', 'defaultLocale'], message));
  }
}

/** Defaults that were checked, as columns; absent ones are left out. */
export function defaultColumns(input: DefaultsInput): Partial<Pick<Business, 'defaultCurrency' | 'defaultLocale'>> {
  const columns: Partial<Pick<Business, 'defaultCurrency' | 'defaultLocale'>> = {};
  if (input.defaultCurrencyCode !== undefined) columns.defaultCurrency = input.defaultCurrencyCode;
  if (input.defaultLocale !== undefined) columns.defaultLocale = presentText(input.defaultLocale);
  return columns;
}

/** A step: what the caller's business has chosen for what its callers leave out. */
export async function defaultsOf(tx: SqlTx): Promise<Pick<Business, 'defaultCurrency' | 'defaultLocale'>> {
  const [defaults] = await tx.sql<Pick<Business, 'defaultCurrency' | 'defaultLocale'>>(
    'defaults_of_business',
    'SELECT default_currency AS "defaultCurrency", default_locale AS "defaultLocale" FROM businesses WHERE id = $1',
    [tenantOf(tx.ctx).businessId],
  );
  if (!defaults) throw new Error("the caller's business is gone");
  return defaults;
}

/**
 * A step: the currency that the input's `currencyCode` names, else the business's default.
 * @throws Refusal InvalidInput when there is neither
 */
export async function currencyOrDefault(tx: SqlTx, currencyCode: string | null | undefined): Promise<string> {
  const currency = currencyCode ?? (await defaultsOf(tx)).defaultCurrency;
  if (currency !== null) return currency;
  const message = 'Give a currency: the business has no default one. Or set its `defaultCurrencyCode`.';
  throw refusal('InvalidInput', ['input', 'currencyCode'], message);
}
