import type { Resolvers } from '../generated/graphql.js';
import { found, idOf, required } from '../graphql/fields.js';
import { readsLoaded } from '../graphql/reads.js';
import { mutation } from '../graphql/mutation.js';
import { globalId, uuidOf } from '../kernel/id.js';
import { listPage } from '../kernel/page.js';
import type { Metadata } from '../kernel/text.js';
import type DataLoader from 'dataloader';
import type { Grant } from '../generated/prisma/client.js';
import type { NarrowRow } from '../kernel/columns.js';
import { grantingColumns } from '../lifecycle/grantEffects.js';
import type { RequestContext } from '../kernel/requestContext.js';
import { grantAsOf } from './grantAsOf.js';
import { claimGrant } from './claimGrant.js';
import { disableLicenseKey } from './disableLicenseKey.js';
import { enableLicenseKey } from './enableLicenseKey.js';
import { fulfillLicenseKeyGrant } from './fulfillLicenseKeyGrant.js';
import { ageInSeconds, liveClaim, paymentIdOf, subscriptionIdOf } from './grant.js';
import { issueGrant } from './issueGrant.js';
import { grantList } from './listGrants.js';
import { pendingGrantList } from './listPendingGrants.js';
import { revokeGrant } from './revokeGrant.js';

interface PresentParts {
  readonly loaders: { readonly licenseById: DataLoader<string, NarrowRow<'License'> | null> };
  readonly request: RequestContext;
}

/** A field of a grant as it is now, whatever of its license is not written yet. */
function present<Result>(read: (grant: Grant, now: Date) => Result) {
  return readsLoaded(
    'License',
    grantingColumns,
    (seen) =>
      async (grant: Grant, _: unknown, { loaders, request }: PresentParts) => {
        const license = await found(loaders.licenseById, grant.licenseId);
        return read(grantAsOf(grant, license && seen(license), request.now), request.now);
      },
  );
}

export const grantResolvers = {
  Query: {
    grant: (_, { id }, { loaders }) => loaders.grantById.load(uuidOf('Grant', id)),
    grants: (_, args, { request }) => listPage(request.db, grantList(request, args), args),
    pendingGrants: (_, args, { request }) => listPage(request.db, pendingGrantList(request, args), args),
  },
  Mutation: {
    issueGrant: mutation(issueGrant),
    fulfillLicenseKeyGrant: mutation(fulfillLicenseKeyGrant),
    claimGrant: mutation(claimGrant),
    revokeGrant: mutation(revokeGrant),
    disableLicenseKey: mutation(disableLicenseKey),
    enableLicenseKey: mutation(enableLicenseKey),
  },
  Grant: {
    id: idOf('Grant'),
    businessId: ({ businessId }) => globalId('Business', businessId),
    customerId: ({ customerId }) => globalId('Customer', customerId),
    customer: ({ customerId }, _, { loaders }) => required(loaders.customerById.load(customerId)),
    entitlementId: ({ entitlementId }) => globalId('Entitlement', entitlementId),
    entitlement: ({ entitlementId }, _, { loaders }) => required(loaders.entitlementById.load(entitlementId)),
    status: present(({ status }) => status),
    deliveredAt: present(({ deliveredAt }) => deliveredAt),
    revokedAt: present(({ revokedAt }) => revokedAt),
    revocationReason: present(({ revocationReason }) => revocationReason),
    errorCode: present(({ errorCode }) => errorCode),
    errorMessage: present(({ errorMessage }) => errorMessage),
    licenseKey: ({ licenseKeyId }, _, { loaders }) => found(loaders.licenseKeyById, licenseKeyId),
    paymentId: async (grant, _, { loaders }) => paymentIdOf(grant, await found(loaders.orderById, grant.orderId)),
    subscriptionId: subscriptionIdOf,
    license: ({ licenseId }, _, { loaders }) => found(loaders.licenseById, licenseId),
    order: ({ orderId }, _, { loaders }) => found(loaders.orderById, orderId),
    ageSeconds: (grant, _, { request }) => ageInSeconds(grant, request.now),
    claimedBy: present((grant, now) => liveClaim(grant, now)?.claimedBy ?? null),
    claimedUntil: present((grant, now) => liveClaim(grant, now)?.claimedUntil ?? null),
    deliveries: ({ id }, _, { loaders }) => loaders.deliveriesByGrant.load(id),
    testMode: ({ mode }) => mode === 'TEST',
    metadata: ({ metadata }) => metadata as Metadata,
    history: ({ id }, args, { loaders }) => loaders.changesByObject.load({ parentId: id, args }),
  },
  IssueGrantPayload: { grant: ({ grantId }, _, { loaders }) => found(loaders.grantById, grantId) },
  FulfillLicenseKeyGrantPayload: { grant: ({ grantId }, _, { loaders }) => found(loaders.grantById, grantId) },
  ClaimGrantPayload: { grant: ({ grantId }, _, { loaders }) => found(loaders.grantById, grantId) },
  DisableLicenseKeyPayload: {
    licenseKey: ({ licenseKeyId }, _, { loaders }) => found(loaders.licenseKeyById, licenseKeyId),
  },
  EnableLicenseKeyPayload: {
    licenseKey: ({ licenseKeyId }, _, { loaders }) => found(loaders.licenseKeyById, licenseKeyId),
  },
  RevokeGrantPayload: { grant: ({ grantId }, _, { loaders }) => found(loaders.grantById, grantId) },
} satisfies Resolvers;
