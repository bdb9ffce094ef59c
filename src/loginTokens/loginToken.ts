/** What login tokens begin with: they are no bearer tokens, and look like none. */
export const loginTokenPrefixes = { LIVE: 'lkl_live_', TEST: 'lkl_test_' } as const;

/** How long a token can be redeemed. */
export const LOGIN_TOKEN_MS = 5 * 60_000;

const PARAMETER = 'token';

/**
 * A service's URL with a login token as its parameter `token`. Everything else of it stays as it was written: other parameters,
 * in whatever spelling, and the fragment, which a service in the browser may live in. A `token` that it had gives way, so that
 * the service finds one.
 * @param token letters, digits and underscores
 */
export function loginUrl(serviceUrl: string, token: string): string {
  const hash = serviceUrl.indexOf('#');
  const beforeHash = hash < 0 ? serviceUrl : serviceUrl.slice(0, hash);
  const fragment = hash < 0 ? '' : serviceUrl.slice(hash);
  const mark = beforeHash.indexOf('?');
  const base = mark < 0 ? beforeHash : beforeHash.slice(0, mark);
  const kept = (mark < 0 ? '' : beforeHash.slice(mark + 1))
    .split('&')
    .filter((pair) => pair !== '' && !new URLSearchParams(`&${pair}`).has(PARAMETER));
  return `${base}?${[...kept, `${PARAMETER}=${token}`].join('&')}${fragment}`;
}
