const fields = `id product { id } name description licenseType price { amount currencyCode minorUnits } billingPeriod boundMonths
  group status revision supersedes { id } supersededBy { id } entitlements { id } metadata version createdAt updatedAt`;

/** Changes an offering and reads every field of what comes of it. */
export const updateProductOffering = `mutation ($input: UpdateProductOfferingInput!) { updateProductOffering(input: $input) {
  productOffering { ${fields} } superseded { ${fields} }
  userErrors { __typename message path code ... on ProductOfferingSuperseded { current } } } }`;

/** Archives an offering and reads every field of it. */
export const archiveProductOffering = `mutation ($input: ArchiveProductOfferingInput!) { archiveProductOffering(input: $input) {
  productOffering { ${fields} } userErrors { __typename message path code ... on ProductOfferingSuperseded { current } } } }`;

/** Reads every field of an offering. */
export const readOffering = `query ($id: ID!) { productOffering(id: $id) { ${fields} } }`;
