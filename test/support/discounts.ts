import type { Api } from './api.js';

/** A new discount: its id and code; 10 % unless `percentBasisPoints` or `amounts` is given. Fields as `createDiscount` takes them. */
export async function newDiscount(
  api: Api,
  token: string,
  fields: Record<string, unknown> = {},
): Promise<{ id: string; code: string }> {
  const terms = 'amounts' in fields ? {} : { percentBasisPoints: 1000 };
  const { createDiscount } = await api.data({
    token,
    query: `mutation ($input: CreateDiscountInput!) { createDiscount(input: $input) { discount { id code } userErrors { message } } }`,
    variables: { input: { ...terms, ...fields } },
  });
  return createDiscount.discount;
}

/** So many new codes of a discount; each for one use unless `usageLimit` says otherwise. */
export async function newDiscountCodes(
  api: Api,
  token: string,
  discountId: string,
  count: number,
  fields: Record<string, unknown> = {},
): Promise<string[]> {
  const { generateDiscountCodes } = await api.data({
    token,
    query: `mutation ($input: GenerateDiscountCodesInput!) { generateDiscountCodes(input: $input) { codes userErrors { message } } }`,
    variables: { input: { discountId, count, ...fields } },
  });
  return generateDiscountCodes.codes;
}
