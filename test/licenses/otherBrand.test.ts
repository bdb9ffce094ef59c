import { expect, test } from '@jest/globals';
import { useApi } from '../support/api.js';
import { newBusiness } from '../support/business.js';
import { newProduct, newProductOffering } from '../support/catalog.js';
import { newLicense, rowsOf } from '../support/licenses.js';

const api = useApi();

test.each(['changeLicenseProductOffering', 'applyLicense', 'renewLicense'])(
  '%s refuses a license of another brand than the header names, and changes nothing',
  async (name) => {
    const { live: token } = await newBusiness(api);
    const productId = await newProduct(api, token);
    const [from, productOfferingId] = [
      await newProductOffering(api, token, { productId }),
      await newProductOffering(api, token, { productId }),
    ];
    const licenseId = await newLicense(api, token, { productOfferingId: from });
    const url = `${name.toLowerCase()}.example`;
    await api.data({
      token,
      query: 'mutation ($input: CreateBrandInput!) { createBrand(input: $input) { userErrors { message } } }',
      variables: { input: { name: 'Elsewhere', url } },
    });
    const before = await rowsOf(api);
    const input = name === 'changeLicenseProductOffering' ? { licenseId, productOfferingId } : { licenseId };
    const type = `${name[0]?.toUpperCase()}${name.slice(1)}Input`;
    const answer = await api.call({
      token,
      headers: { 'brand-url': url },
      query: `mutation ($input: ${type}!) { answer: ${name}(input: $input) { license { id } userErrors { code path } } }`,
      variables: { input: name === 'applyLicense' ? { ...input, ...(await applicant(token, licenseId)) } : input },
    });
    expect(answer.errors).toBeUndefined();
    expect(answer.data.answer).toEqual({
      license: null,
      userErrors: [{ code: 'BRAND_MISMATCH', path: ['input', 'licenseId'] }],
    });
    expect(await rowsOf(api)).toBe(before);
  },
);

async function applicant(token: string, licenseId: string): Promise<{ customerId: string }> {
  const query = 'query ($id: ID!) { license(id: $id) { customer { id } } }';
  const { license } = await api.data({ token, query, variables: { id: licenseId } });
  return { customerId: license.customer.id };
}
