import { isEmail } from '../customers/customer.js';
import type { CreateProductKeyInput } from '../generated/graphql.js';
import { newId } from '../kernel/id.js';
import { Refusal, refuseIfAny, userError, type UserErrorData } from '../kernel/refusal.js';
import type { RequestContext } from '../kernel/requestContext.js';
import { checkLength, presentText } from '../kernel/text.js';
import { inTransaction, type Tx } from '../kernel/transaction.js';
import { addProductKey, type ProductKeyParts } from './addProductKey.js';
import { applicationByExternalId } from '../applications/applicationByExternalId.js';
import { attachPricingRules } from './attachPricingRules.js';
import { attachSlaDefinitions } from './attachSlaDefinitions.js';
import { findNamed } from './findNamed.js';
import { findOwner } from './findOwner.js';
import { findProducts } from './findProducts.js';
import { addressesOf, replaceAddresses, replaceNamed } from './namedLists.js';
import { noticeCreation } from './notices.js';
import { checkCount, checkExpiration, checkGuid, fieldProblems } from './productKeyFields.js';
import { productKeyTaken } from './productKeyText.js';

/**
 * Creates a product key: every field of Revenium's "Create a product key (subscription)". Refuses first what is wrong with the
 * fields, then what they name and is not there, each time all at once, then the owner. The owner's account is found or made in
 * the same transaction, so a refusal makes none.
 * @throws Refusal InvalidInput, InvalidExpiry; ProductNotFound, ProductArchived, ProductUnpublished, OrganizationNotFound,
 *   OrganizationArchived, ApplicationNotFound, ApplicationArchived, SlaDefinitionNotFound, SlaDefinitionArchived, PricingRuleNotFound, PricingRuleArchived, CurrencyMismatch,
 *   ModeMismatch; CustomerNotFound, BrandMismatch, CustomerErased, EmailTaken, ProductKeyTaken
 */
export async function createProductKey(
  ctx: RequestContext,
  input: CreateProductKeyInput,
): Promise<{ productKeyId: string; customerId: string }> {
  return inTransaction(
    ctx,
    async (tx) => {
      // Asked behind the claim of the idempotency key: a retry that comes after the expiration is answered, not refused.
      refuseIfAny(problemsOf(input, ctx.now));
      const { applicationIds, organizationIds, ...found } = await findParts(tx, input);
      const parts: ProductKeyParts = { ...found, owner: await findOwner(tx, input) };
      const productKey = await addProductKey(tx, input, parts);
      noticeCreation(tx, productKey, addressesOf(input.notificationAddressesOnCreation));
      await tx.flush();
      await nameAll(tx, input, { ...parts, applicationIds, organizationIds });
      return { productKeyId: parts.id, customerId: parts.owner.id };
    },
    { ...productKeyTaken, ...accountJustMade },
  );
}

const accountJustMade = {
  customers_email_key: () =>
    userError(
      'EmailTaken',
      ['input', 'clientEmailAddress'],
      'A customer with this address has been created just now. Try again: the key is given to that one then.',
    ),
};

function problemsOf(input: CreateProductKeyInput, now: Date): UserErrorData[] {
  const problems = fieldProblems(input);
  checkGuid(problems, input.key);
  checkExpiration(problems, input.expiration, { start: input.start, now });
  checkCount(problems, 'consumedQuota', input.consumedQuota);
  for (const field of ['clientFirstName', 'clientLastName', 'companyName'] as const) {
    checkLength(problems, ['input', field], presentText(input[field]), 1, 255);
  }
  const email = presentText(input.clientEmailAddress);
  if (email === null ? input.owner == null : !isEmail(email)) {
    const message = 'Give one e-mail address, such as erika@example.com: the owner is found by it.';
    problems.push(userError('InvalidInput', ['input', 'clientEmailAddress'], message));
  }
  return problems;
}

/** What an input names, but for the owner. Organizations are held before products, applications last, by everybody. */
async function findParts(tx: Tx, input: CreateProductKeyInput) {
  const problems: UserErrorData[] = [];
  const id = newId();
  const one = async (field: 'providerOrganizationId' | 'organizationId') => {
    const named = input[field] == null ? [] : [{ id: input[field], path: ['input', field] }];
    return (await findNamed(tx, problems, 'Organization', named))[0] ?? null;
  };
  const all = (field: 'namedOrganizations' | 'applications') =>
    input[field].map((named, index) => ({ id: named, path: ['input', field, index] }));
  const providerOrganizationId = await one('providerOrganizationId');
  const organizationId = await one('organizationId');
  const organizationIds = await findNamed(tx, problems, 'Organization', all('namedOrganizations'));
  const products = await findProducts(tx, problems, input.productIds);
  const applicationIds = await findNamed(tx, problems, 'Application', all('applications'));
  await attachSlaDefinitions(tx, problems, { id, start: input.start }, input.slaDefinitionIds ?? []);
  await attachPricingRules(tx, problems, id, input.pricingRuleIds ?? []);
  if (problems.length > 0) throw new Refusal(problems);
  return { id, providerOrganizationId, organizationId, organizationIds, products, applicationIds };
}

async function nameAll(
  tx: Tx,
  input: CreateProductKeyInput,
  {
    id,
    products,
    applicationIds,
    organizationIds,
  }: ProductKeyParts & Record<`${'application' | 'organization'}Ids`, string[]>,
): Promise<void> {
  const externalId = presentText(input.applicationExternalId);
  const applications = new Set(applicationIds);
  if (externalId !== null) applications.add(await applicationByExternalId(tx, externalId));
  await replaceNamed(
    tx,
    'product_key_products',
    id,
    products.map((product) => product.id),
  );
  await replaceNamed(tx, 'product_key_applications', id, [...applications]);
  await replaceNamed(tx, 'product_key_organizations', id, organizationIds);
  await replaceAddresses(tx, id, 'CONSUMER', addressesOf(input.namedConsumers));
  await replaceAddresses(tx, id, 'CREATION_NOTICE', addressesOf(input.notificationAddressesOnCreation));
  await replaceAddresses(tx, id, 'QUOTA_NOTICE', addressesOf(input.notificationAddressesOnQuotaThreshold));
}
