import { expect } from '@jest/globals';
import type { Api } from '../support/api.js';
import type { TestBusiness } from '../support/business.js';
import { newPackage, newProduct, newProductOffering, type Target } from '../support/catalog.js';

/** Every field of an entitlement. */
export const fields = `id name description integrationType configuration { __typename ... on LicenseKeyConfiguration {
  fulfillmentMode activationsLimit duration { count unit } activationMessage fulfillWithinHours } }
  archivedAt metadata version createdAt updatedAt`;
const payload = `{ entitlement { ${fields} } userErrors { __typename message path code } }`;

/** Creates an entitlement and reads every field of it. */
export const createEntitlement = `mutation ($input: CreateEntitlementInput!) { createEntitlement(input: $input) ${payload} }`;

/** Attaches one. */
export const attach = `mutation ($input: AttachEntitlementInput!) { attachEntitlement(input: $input) ${payload} }`;

/** Takes one off. */
export const detach = `mutation ($input: DetachEntitlementInput!) { detachEntitlement(input: $input) ${payload} }`;

/** When these calls happen. */
export const noon = '2026-03-01T12:00:00.000Z';

type Call = [token: string, query: string, input: Record<string, unknown>, headers?: Record<string, string>];

/** Calls of one mutation each, at noon, and what they leave in the database. */
export function entitlementCalls(api: Api) {
  /** The payload of the one mutation that a document has. */

  async function run(...[token, query, input, headers]: Call): Promise<any> {
    api.setNow(noon);
    const { data, errors } = await api.call({ token, query, variables: { input }, ...(headers ? { headers } : {}) });
    api.setNow(null);
    if (errors) throw new Error(JSON.stringify(errors));
    return Object.values(data)[0];
  }

  /** Type, code and path of each refusal; there must be no entitlement beside them. */
  async function refusals(...call: Call): Promise<[type: string, code: string, path: string][]> {
    const { entitlement, userErrors } = await run(...call);
    expect(entitlement).toBeNull();
    return userErrors.map((error: { __typename: string; code: string; path: string[] }) => [
      error.__typename,
      error.code,
      error.path.join('.'),
    ]);
  }

  /** Rows of a business that these mutations write, and its entitlements' versions. */
  async function rowsOf({ brandUrl }: TestBusiness) {
    const [row] = await api.db.sql<object>(
      null,
      `SELECT (SELECT count(*)::int FROM entitlements x WHERE x.business_id = b.business_id) entitlements,
         (SELECT count(*)::int FROM entitlement_attachments x WHERE x.business_id = b.business_id) attachments,
         (SELECT count(*)::int FROM changes x WHERE x.business_id = b.business_id AND type LIKE 'entitlement.%') changes,
         (SELECT coalesce(array_agg(version ORDER BY id), '{}') FROM entitlements x WHERE x.business_id = b.business_id) versions
       FROM brands b WHERE url = $1`,
      [brandUrl],
    );
    return { ...row };
  }

  /** One target of each kind. */
  async function newTargets(token: string): Promise<Target[]> {
    const productId = await newProduct(api, token);
    const productOfferingId = await newProductOffering(api, token, { productId });
    return [{ productId }, { productOfferingId }, { packageId: await newPackage(api, token) }];
  }

  /** Names of the entitlements that a target shows. */
  async function shownOn(token: string, target: Target): Promise<string[]> {
    const [[field, id]] = Object.entries(target) as [[string, string]];
    const root = field.replace(/Id$/, '');
    const query = `query ($id: ID!) { target: ${root}(id: $id) { entitlements { name } } }`;
    const { target: shown } = await api.data({ token, query, variables: { id } });
    return shown.entitlements.map(({ name }: { name: string }) => name);
  }

  return { run, refusals, rowsOf, newTargets, shownOn };
}
