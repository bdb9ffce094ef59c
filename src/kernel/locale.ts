/** Whether a text is a language tag of BCP 47 of at most 35 characters. */
export function isLocale(text: string): boolean {
  try {
    return text.length <= 35 && Intl.getCanonicalLocales(text).length === 1;
  } catch {
    return false;
  }
}
