import { expect, test } from '@jest/globals';
import { useApi } from '../support/api.js';
import { newBusiness } from '../support/business.js';
import { attachEntitlement, newEntitlement, newPackage, newProductOffering, type Target } from '../support/catalog.js';
import { newLicense } from '../support/licenses.js';
import { attach, detach, entitlementCalls, noon } from './entitlementCalls.js';

const api = useApi();
const { run, refusals, rowsOf, newTargets, shownOn } = entitlementCalls(api);
const morning = '2026-03-01T08:00:00.000Z';

test('attachEntitlement attaches to a product, an offering and a package, once each; detachEntitlement takes it off', async () => {
  const business = await newBusiness(api);
  const { live } = business;
  api.setNow(morning);
  const entitlementId = await newEntitlement(api, live, { name: 'Key' });
  api.setNow(null);
  const targets = await newTargets(live);
  const state = { id: entitlementId, name: 'Key', description: null, integrationType: 'LICENSE_KEY', archivedAt: null };
  let version = 1;
  for (const target of targets) {
    version++;
    const attached = { entitlement: { ...state, version, createdAt: morning, updatedAt: noon }, userErrors: [] };
    expect(await run(live, attach, { entitlementId, target })).toMatchObject(attached);
    expect(await run(live, attach, { entitlementId, target })).toMatchObject(attached);
    expect(await shownOn(live, target)).toEqual(['Key']);
  }
  expect(await rowsOf(business)).toEqual({ entitlements: 1, attachments: 3, changes: 4, versions: [4] });
  for (const target of targets) {
    version++;
    const detached = { entitlement: { ...state, version, createdAt: morning, updatedAt: noon }, userErrors: [] };
    expect(await run(live, detach, { entitlementId, target })).toMatchObject(detached);
    expect(await run(live, detach, { entitlementId, target })).toMatchObject(detached);
    expect(await shownOn(live, target)).toEqual([]);
  }
  expect(await rowsOf(business)).toEqual({ entitlements: 1, attachments: 0, changes: 7, versions: [7] });
  const changes = await api.db.sql<{ type: string; sequence: number; before: object; after: object }>(
    null,
    `SELECT c.type, c.sequence, c.before, c.after FROM changes c JOIN brands b USING (business_id)
     WHERE b.url = $1 AND c.type LIKE 'entitlement.%' ORDER BY c.sequence`,
    [business.brandUrl],
  );
  const uuid = expect.stringMatching(/^[0-9a-f-]{36}$/);
  const updated = (sequence: number, before: object | null, after: object | null) => ({
    type: 'entitlement.updated',
    sequence,
    before,
    after,
  });
  expect(changes).toEqual([
    { type: 'entitlement.created', sequence: 1, before: null, after: null },
    updated(2, null, { productId: uuid }),
    updated(3, null, { productOfferingId: uuid }),
    updated(4, null, { packageId: uuid }),
    updated(5, { productId: uuid }, null),
    updated(6, { productOfferingId: uuid }, null),
    updated(7, { packageId: uuid }, null),
  ]);
});

test('targets show their entitlements in the order of attachment, without archived ones', async () => {
  const { live } = await newBusiness(api);
  for (const target of await newTargets(live)) {
    const [first, second, third] = [
      await newEntitlement(api, live, { name: 'First' }),
      await newEntitlement(api, live, { name: 'Second' }),
      await newEntitlement(api, live, { name: 'Archived' }),
    ];
    api.setNow('2026-03-01T08:00:00.000Z');
    await attachEntitlement(api, live, { target, entitlementId: third });
    await attachEntitlement(api, live, { target, entitlementId: second });
    api.setNow('2026-03-01T09:00:00.000Z');
    await attachEntitlement(api, live, { target, entitlementId: first });
    api.setNow(null);
    await api.db.sql(null, `UPDATE entitlements SET archived_at = created_at WHERE name = 'Archived'`, []);
    expect(await shownOn(live, target)).toEqual(['Second', 'First']);
  }
});

test('an archived entitlement is attached no more; it can be taken off', async () => {
  const business = await newBusiness(api);
  const { live } = business;
  const [target, other] = (await newTargets(live)) as [Target, Target, Target];
  const entitlementId = await attachEntitlement(api, live, { target });
  await api.db.sql(
    null,
    `UPDATE entitlements e SET archived_at = e.created_at FROM brands b WHERE b.url = $1 AND e.business_id = b.business_id`,
    [business.brandUrl],
  );
  const before = await rowsOf(business);
  for (const wanted of [target, other]) {
    expect(await refusals(live, attach, { entitlementId, target: wanted })).toEqual([
      ['EntitlementArchived', 'ENTITLEMENT_ARCHIVED', 'input.entitlementId'],
    ]);
  }
  expect(await rowsOf(business)).toEqual(before);
  expect((await run(live, detach, { entitlementId, target })).entitlement.version).toBe(3);
  expect(await rowsOf(business)).toMatchObject({ attachments: 0 });
});

test('nothing is attached to a superseded offering; what is attached can be taken off it', async () => {
  const business = await newBusiness(api);
  const { live } = business;
  const productOfferingId = await newProductOffering(api, live);
  const target = { productOfferingId };
  const [entitlementId, other] = [await attachEntitlement(api, live, { target }), await newEntitlement(api, live)];
  await newLicense(api, live, { productOfferingId });
  const update = `mutation ($input: UpdateProductOfferingInput!) { updateProductOffering(input: $input) {
    productOffering { id } userErrors { code } } }`;
  const input = { productOfferingId, amount: '1' };
  const { updateProductOffering } = await api.data({ token: live, query: update, variables: { input } });
  const before = await rowsOf(business);
  expect(await refusals(live, attach, { entitlementId: other, target })).toEqual([
    ['ProductOfferingSuperseded', 'PRODUCT_OFFERING_SUPERSEDED', 'input.target.productOfferingId'],
  ]);
  expect(await rowsOf(business)).toEqual(before);
  expect((await run(live, detach, { entitlementId, target })).userErrors).toEqual([]);
  const revised = { productOfferingId: updateProductOffering.productOffering.id };
  expect((await run(live, attach, { entitlementId: other, target: revised })).userErrors).toEqual([]);
  expect(await shownOn(live, revised)).toEqual(['Studio key', 'Studio key']);
  expect(await shownOn(live, target)).toEqual([]);
});

test.each([
  ['attachEntitlement', attach],
  ['detachEntitlement', detach],
])("%s refuses what is not there or not the caller's, and changes nothing", async (_name, query) => {
  const [mine, theirs] = [await newBusiness(api), await newBusiness(api)];
  const [own, foreign] = [await newEntitlement(api, mine.live), await newEntitlement(api, theirs.live)];
  const [target] = (await newTargets(mine.live)) as [Target];
  const before = [await rowsOf(mine), await rowsOf(theirs)];
  for (const entitlementId of [foreign, 'ent_01jd3kzzzzzzzzzzzzzzzzzzzz', 'nonsense']) {
    expect(await refusals(mine.live, query, { entitlementId, target })).toEqual([
      ['EntitlementNotFound', 'ENTITLEMENT_NOT_FOUND', 'input.entitlementId'],
    ]);
  }
  const refused: Record<string, [string, string]> = {
    productId: ['ProductNotFound', 'PRODUCT_NOT_FOUND'],
    productOfferingId: ['ProductOfferingNotFound', 'PRODUCT_OFFERING_NOT_FOUND'],
    packageId: ['PackageNotFound', 'PACKAGE_NOT_FOUND'],
  };
  for (const foreignTarget of await newTargets(theirs.live)) {
    const [field] = Object.keys(foreignTarget) as [string];
    for (const wanted of [foreignTarget, { [field]: 'nonsense' }]) {
      expect(await refusals(mine.live, query, { entitlementId: own, target: wanted })).toEqual([
        [...(refused[field] as [string, string]), `input.target.${field}`],
      ]);
    }
  }
  const two = { ...target, packageId: await newPackage(api, mine.live) };
  for (const wanted of [{}, two]) {
    const { errors } = await api.call({
      token: mine.live,
      query,
      variables: { input: { entitlementId: own, target: wanted } },
    });
    expect(errors?.map((error) => error.extensions.code)).toEqual(['BAD_USER_INPUT']);
  }
  expect([await rowsOf(mine), await rowsOf(theirs)]).toEqual(before);
});

test('a package of another brand than Brand-URL names is neither attached to nor detached from', async () => {
  const business = await newBusiness(api);
  const { live } = business;
  const url = `second.${business.brandUrl}`;
  await api.data({
    token: live,
    query:
      'mutation ($input: CreateBrandInput!) { createBrand(input: $input) { brand { id } userErrors { message } } }',
    variables: { input: { name: 'Second', url } },
  });
  const target = { packageId: await newPackage(api, live) };
  const entitlementId = await attachEntitlement(api, live, { target });
  const unattached = await newEntitlement(api, live);
  const before = await rowsOf(business);
  const mismatch = [['BrandMismatch', 'BRAND_MISMATCH', 'input.target.packageId']];
  const headers = { 'brand-url': url };
  expect(await refusals(live, attach, { entitlementId: unattached, target }, headers)).toEqual(mismatch);
  expect(await refusals(live, detach, { entitlementId, target }, headers)).toEqual(mismatch);
  expect(await rowsOf(business)).toEqual(before);
  const right = await run(live, attach, { entitlementId: unattached, target }, { 'brand-url': business.brandUrl });
  expect(right.userErrors).toEqual([]);
});

test('twenty attachments at once make one, twenty detachments undo it once', async () => {
  const business = await newBusiness(api);
  const entitlementId = await newEntitlement(api, business.live);
  for (const [i, target] of (await newTargets(business.live)).entries()) {
    const all = async (query: string) => {
      const call = () => api.data({ token: business.live, query, variables: { input: { entitlementId, target } } });
      await Promise.all(Array.from({ length: 20 }, call));
    };
    await all(attach);
    expect(await rowsOf(business)).toMatchObject({ attachments: 1, changes: 2 * i + 2, versions: [2 * i + 2] });
    await all(detach);
    expect(await rowsOf(business)).toMatchObject({ attachments: 0, changes: 2 * i + 3, versions: [2 * i + 3] });
  }
});
