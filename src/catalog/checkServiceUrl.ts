import { userError, type UserErrorData } from '../kernel/refusal.js';
import { presentText } from '../kernel/text.js';

/** Adds a problem when the input's `serviceUrl` is there and no web address. */
export function checkServiceUrl(problems: UserErrorData[], given: string | null | undefined): void {
  const serviceUrl = presentText(given);
  if (serviceUrl !== null && !isWebUrl(serviceUrl)) {
    const message = 'Give an http or https URL of up to 2000 characters, such as https://app.example.com/start.';
    problems.push(userError('InvalidInput', ['input', 'serviceUrl'], message));
  }
}

/** White space is refused because `URL` would quietly take it out. */
function isWebUrl(url: string): boolean {
  return url.length <= 2000 && /^https?:\/\/\S+$/i.test(url) && URL.canParse(url);
}
