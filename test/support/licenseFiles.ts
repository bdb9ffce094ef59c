import type { Answer, Api } from './api.js';
import type { TestBusiness } from './business.js';

type Brand = Pick<TestBusiness, 'brandUrl'>;
type Fields = Record<string, unknown>;

export const checkOutQuery = `mutation ($input: CheckOutLicenseFileInput!) { checkOutLicenseFile(input: $input) {
  licenseFile { file keyId issuedAt expiresAt graceUntil revocationListVersion }
  userErrors { __typename code path message ... on LicenseKeyNotValid { checks { code } } } } }`;

/** Checks out a license file as a program does, without a token unless one is given; gives the whole answer. */
export function checkOut(api: Api, { brandUrl }: Brand, input: Fields, token: string | null = null): Promise<Answer> {
  return api.call({ token, query: checkOutQuery, variables: { input }, headers: { 'brand-url': brandUrl } });
}

/** The file alone, which it must give. */
export async function fileOf(api: Api, business: Brand, input: Fields, token: string | null = null): Promise<string> {
  const { data } = await checkOut(api, business, input, token);
  if (!data?.checkOutLicenseFile.licenseFile) throw new Error(JSON.stringify(data));
  return data.checkOutLicenseFile.licenseFile.file as string;
}

/** Code and path of each refusal, with the codes of the checks that failed. */
export async function refusedFile(api: Api, business: Brand, input: Fields, token: string | null = null) {
  const { data } = await checkOut(api, business, input, token);
  const { licenseFile, userErrors } = data.checkOutLicenseFile;
  if (licenseFile) throw new Error('it was not refused');
  return (userErrors as { code: string; path: string[]; checks?: { code: string }[] }[]).map(({ code, path, checks }) =>
    [code, path.join('.'), ...(checks ?? []).map((check) => check.code)].join(' '),
  );
}

/** The keys as programs load them. */
export async function keySet(api: Api, { brandUrl }: Brand): Promise<{ keys: Record<string, string>[] }> {
  const response = await api.server.inject({ url: '/.well-known/jwks.json', headers: { 'brand-url': brandUrl } });
  if (response.statusCode !== 200) throw new Error(response.body);
  return response.json();
}

/** A page of the revocation list, as programs load it. */
export async function revokedKeys(
  api: Api,
  { brandUrl }: Brand,
  variables: { since?: string; testMode?: boolean } = {},
): Promise<{ list: string; since: string; version: string; complete: boolean; issuedAt: string }> {
  const query = `query ($since: BigInt, $testMode: Boolean) { revokedLicenseKeys(since: $since, testMode: $testMode) {
    list since version complete issuedAt } }`;
  return (await api.data({ query, variables, headers: { 'brand-url': brandUrl } })).revokedLicenseKeys;
}

/** What a signed text says, whether or not it is signed well. */
export function claimsOf(text: string): any {
  return JSON.parse(Buffer.from(text.split('.')[1] as string, 'base64url').toString());
}
