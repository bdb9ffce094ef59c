import { createCustomer } from '../src/customers/createCustomer.js';
import { issueGrant } from '../src/grants/issueGrant.js';
import { globalId } from '../src/kernel/id.js';
import type { RequestContext } from '../src/kernel/requestContext.js';
import { createLicense } from '../src/licenses/createLicense.js';
import { createOrganization } from '../src/organizations/createOrganization.js';
import { purchaseLicensesByWallet } from '../src/purchases/purchaseLicensesByWallet.js';
import { createWallet } from '../src/wallets/createWallet.js';
import { creditWallet } from '../src/wallets/creditWallet.js';
import type { Catalog } from './seedCatalog.js';

const day = 86_400_000;

/** Three customers with money, licenses and work for the fulfillment desk. */
export async function seedCustomers(ctx: RequestContext, catalog: Catalog) {
  const customer = async (input: Parameters<typeof createCustomer>[1]) =>
    globalId('Customer', (await createCustomer(ctx, input)).customerId);
  const erika = await customer({
    code: 'ERIKA',
    firstName: 'Erika',
    lastName: 'Mustermann',
    email: 'erika@customer.example',
    countryCode3Letter: 'DEU',
    locale: 'de-DE',
  });
  const hanako = await customer({
    code: 'HANAKO',
    firstName: 'Hanako',
    lastName: 'Yamada',
    email: 'hanako@customer.example',
    countryCode3Letter: 'JPN',
    locale: 'ja-JP',
  });
  const { organizationId } = await createOrganization(ctx, { name: 'Gulf Drafting W.L.L.', countryCode3Letter: 'KWT' });
  const gulf = await customer({
    code: 'GULF',
    companyName: 'Gulf Drafting',
    organizationId: globalId('Organization', organizationId),
    email: 'office@gulf.example',
    countryCode3Letter: 'KWT',
  });
  const walletOf = async (customerId: string, currencyCode: string, amount: string) => {
    const walletId = globalId('Wallet', (await createWallet(ctx, { customerId, currencyCode })).walletId);
    await creditWallet(ctx, { walletId, amount, currencyCode, reason: 'Top-up', reference: `demo-${currencyCode}` });
    return walletId;
  };
  const erikaWallet = await walletOf(erika, 'EUR', '500.00');
  const hanakoWallet = await walletOf(hanako, 'JPY', '100000');
  const gulfWallet = await walletOf(gulf, 'KWD', '150.000');
  const order = await buyBundles(ctx, catalog, { walletId: erikaWallet, customerId: erika });
  const licenses = await seedLicenses(ctx, catalog, { hanako, gulf });
  const grant = await issueGrant(ctx, {
    entitlementId: catalog.manualKey,
    customerId: gulf,
    paymentId: 'demo-invoice-7',
  });
  return {
    customers: { erika, hanako, gulf },
    wallets: { erika: erikaWallet, hanako: hanakoWallet, gulf: gulfWallet },
    order,
    licenses,
    pendingGrant: globalId('Grant', grant.grantId),
  };
}

async function buyBundles(ctx: RequestContext, catalog: Catalog, who: { walletId: string; customerId: string }) {
  const { orderId } = await purchaseLicensesByWallet(ctx, {
    ...who,
    packageId: catalog.bundle,
    subscriptionTypeId: catalog.monthly,
    amount: '29.90',
    currencyCode: 'EUR',
    startDate: ctx.now,
    endDate: new Date(ctx.now.getTime() + 30 * day),
    quantity: 2,
    tags: ['demo'],
  });
  return globalId('Order', orderId);
}

/** One license in force, and one that starts in a week. */
async function seedLicenses(ctx: RequestContext, catalog: Catalog, who: { hanako: string; gulf: string }) {
  const active = await createLicense(ctx, {
    productOfferingId: catalog.studioPro,
    customerId: who.hanako,
    assignedTo: { type: 'DEVICE', id: 'studio-mac-1', displayName: "Hanako's Mac" },
  });
  const pending = await createLicense(ctx, {
    productOfferingId: catalog.cloudTeam,
    customerId: who.gulf,
    assignedTo: { type: 'SITE', id: 'kuwait-city' },
    activationDate: new Date(ctx.now.getTime() - (ctx.now.getTime() % day) + 7 * day),
  });
  return { active: globalId('License', active.licenseId), pending: globalId('License', pending.licenseId) };
}
