import type { CreateBusinessInput } from '../generated/graphql.js';
import { recordChange } from '../events/recordChange.js';
import { newId } from '../kernel/id.js';
import { refuseIfAny, type UserErrorData } from '../kernel/refusal.js';
import type { RequestContext } from '../kernel/requestContext.js';
import { newToken } from '../kernel/secret.js';
import { checkLength, checkMetadata, mergedMetadata } from '../kernel/text.js';
import { inTransaction } from '../kernel/transaction.js';
import type { Mode } from '../kernel/viewer.js';
import { tokenPrefixes } from './authenticate.js';
import { brandUrlTaken, checkBrandUrl } from './checkBrandUrl.js';
import { checkDefaults, defaultColumns } from './defaults.js';
import { addApiKey } from './addApiKey.js';
import { brandHost } from './findBrand.js';
import { allScopes } from './scopes.js';

/**
 * Creates a business, its primary brand and an API key with every scope for each mode.
 * @returns ids, and the two tokens: shown once
 * @throws Refusal InvalidInput, InvalidCurrency, BrandUrlTaken
 */
export async function createBusiness(
  ctx: RequestContext,
  input: CreateBusinessInput,
): Promise<{ businessId: string; liveToken: string; testToken: string }> {
  refuseIfAny(problemsOf(input));
  return inTransaction(
    ctx,
    async (tx) => {
      const { now } = ctx;
      const stamps = { createdAt: now, updatedAt: now };
      const business = await tx.prisma.business.create({
        data: {
          id: newId(),
          name: input.name.trim(),
          managedBilling: input.managedBilling ?? false,
          ...defaultColumns(input),
          metadata: mergedMetadata({}, input.metadata),
          ...stamps,
        },
      });
      const brand = await tx.prisma.brand.create({
        data: {
          businessId: business.id,
          id: newId(),
          name: (input.brandName ?? input.name).trim(),
          url: brandHost(input.brandUrl),
          isPrimary: true,
          metadata: {},
          ...stamps,
        },
      });
      const tenant = { businessId: business.id, mode: 'LIVE' as Mode };
      recordChange(tx, {
        type: 'business.created',
        objectType: 'Business',
        objectId: business.id,
        sequence: 1,
        snapshot: business,
        tenant,
      });
      recordChange(tx, {
        type: 'brand.created',
        objectType: 'Brand',
        objectId: brand.id,
        sequence: 1,
        snapshot: brand,
        tenant,
      });
      const tokens = { LIVE: newToken(tokenPrefixes.apiKey.LIVE), TEST: newToken(tokenPrefixes.apiKey.TEST) };
      for (const mode of ['LIVE', 'TEST'] as const) {
        await addApiKey(
          tx,
          { businessId: business.id, mode },
          { name: 'First key', scopes: allScopes, expiresAt: null },
          tokens[mode],
        );
      }
      return { businessId: business.id, liveToken: tokens.LIVE, testToken: tokens.TEST };
    },
    brandUrlTaken(['input', 'brandUrl']),
  );
}

function problemsOf(input: CreateBusinessInput): UserErrorData[] {
  const problems: UserErrorData[] = [];
  checkLength(problems, ['input', 'name'], input.name.trim(), 1, 255);
  checkLength(problems, ['input', 'brandName'], input.brandName?.trim(), 1, 255);
  checkBrandUrl(problems, ['input', 'brandUrl'], input.brandUrl);
  checkDefaults(problems, input);
  checkMetadata(problems, ['input', 'metadata'], input.metadata);
  return problems;
}
