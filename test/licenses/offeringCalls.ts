import type { Api } from '../support/api.js';

/** What `previewLicenseChange` answers. */
export async function previewChange(api: Api, token: string, input: object): Promise<any> {
  const data = await api.call({
    token,
    query: `query ($input: PreviewLicenseChangeInput!) { previewLicenseChange(input: $input) {
      changeSchedule changeDate type boundUntil
      proration { credit { amount } charge { amount } total { amount } }
      productOffering { id } price { amount currencyCode }
      revokedEntitlements { name } issuedEntitlements { name } userErrors { code path } } }`,
    variables: { input },
  });
  if (data.errors) throw new Error(JSON.stringify(data.errors));
  return data.data.previewLicenseChange;
}

/** What `changeLicenseProductOffering` answers. */
export async function changeOffering(api: Api, token: string, input: object): Promise<any> {
  const data = await api.call({
    token,
    query: `mutation ($input: ChangeLicenseProductOfferingInput!) { changeLicenseProductOffering(input: $input) {
      license { id type version productOffering { id } pendingProductOffering { productOffering { id } scheduledAt } }
      wallet { id } ledgerEntry { isCredit amount { minorUnits } transaction { kind } } userErrors { code path message } } }`,
    variables: { input },
  });
  if (data.errors) throw new Error(JSON.stringify(data.errors));
  return data.data.changeLicenseProductOffering;
}
