import { isDeepStrictEqual } from 'node:util';
import { applicationByExternalId } from '../applications/applicationByExternalId.js';
import type { UpdateProductKeyInput } from '../generated/graphql.js';
import type { ProductKey, ProductKeyAddressUse } from '../generated/prisma/client.js';
import type { UserErrorData } from '../kernel/refusal.js';
import { presentText } from '../kernel/text.js';
import type { SqlTx } from '../kernel/transaction.js';
import type { Aside } from './changeMeter.js';
import { findNamed } from './findNamed.js';
import { findProducts } from './findProducts.js';
import { addressesOf, readAddresses, readNamed, replaceAddresses, replaceNamed, type NamedList } from './namedLists.js';

const addresses = { namedConsumers: 'CONSUMER', notificationAddressesOnQuotaThreshold: 'QUOTA_NOTICE' } as const;

/**
 * A step: replaces the lists of a locked product key that an input gives. Problems with what they name are added, and what was
 * written then is rolled back with them. The history tells ids, and of addresses only how many there are.
 */
export async function changeNamed(
  tx: SqlTx,
  problems: UserErrorData[],
  key: ProductKey,
  input: UpdateProductKeyInput,
): Promise<Aside> {
  const before: Record<string, unknown> = {};
  const after: Record<string, unknown> = {};
  const note = (field: string, from: unknown, to: unknown) =>
    Object.assign(before, { [field]: from }) && (after[field] = to);
  const replace = async (field: string, table: NamedList, find: (kept: ReadonlySet<string>) => Promise<string[]>) => {
    const current = await readNamed(tx, table, key);
    const next = await find(new Set(current));
    if (isDeepStrictEqual(current, next)) return;
    await replaceNamed(tx, table, key.id, next);
    note(field, current, next);
  };
  if (input.namedOrganizations !== undefined) {
    const named = namedIn(input.namedOrganizations, 'namedOrganizations');
    await replace('namedOrganizations', 'product_key_organizations', (kept) =>
      findNamed(tx, problems, 'Organization', named, kept),
    );
  }
  const { productIds } = input;
  if (productIds) {
    await replace('productIds', 'product_key_products', async (kept) =>
      (await findProducts(tx, problems, productIds, kept)).map(({ id }) => id),
    );
  }
  if (input.applications !== undefined || presentText(input.applicationExternalId) !== null) {
    await replace('applications', 'product_key_applications', (kept) => applicationsFor(tx, problems, input, kept));
  }
  for (const [field, use] of Object.entries(addresses)) {
    const given = input[field as keyof typeof addresses];
    if (given !== undefined) await replaceAll(field, use, addressesOf(given));
  }
  return Object.keys(after).length > 0 ? { before, after } : null;

  async function replaceAll(field: string, use: ProductKeyAddressUse, next: string[]): Promise<void> {
    const current = await readAddresses(tx, use, key);
    if (isDeepStrictEqual(current, next)) return;
    await replaceAddresses(tx, key.id, use, next);
    note(`${field}Count`, current.length, next.length);
  }
}

const namedIn = (ids: readonly string[] | null, field: string) =>
  (ids ?? []).map((id, index) => ({ id, path: ['input', field, index] }));

/** The given applications, else those that there are, with the one of the external id that is given. */
async function applicationsFor(
  tx: SqlTx,
  problems: UserErrorData[],
  input: UpdateProductKeyInput,
  kept: ReadonlySet<string>,
): Promise<string[]> {
  const { applications } = input;
  const ids =
    applications === undefined
      ? [...kept]
      : await findNamed(tx, problems, 'Application', namedIn(applications, 'applications'), kept);
  const externalId = presentText(input.applicationExternalId);
  const more = externalId === null ? [] : [await applicationByExternalId(tx, externalId, kept)];
  return [...new Set([...ids, ...more])];
}
