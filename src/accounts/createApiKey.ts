import type { CreateApiKeyInput } from '../generated/graphql.js';
import { refuseIfAny, userError, type UserErrorData } from '../kernel/refusal.js';
import { tenantOf, type RequestContext } from '../kernel/requestContext.js';
import { newToken } from '../kernel/secret.js';
import { checkLength } from '../kernel/text.js';
import { inTransaction } from '../kernel/transaction.js';
import { addApiKey } from './addApiKey.js';
import { tokenPrefixes } from './authenticate.js';

/**
 * Creates an API key of the caller's mode. A key cannot give more than it has, or it could make itself anything.
 * @returns its id and its token: shown once
 * @throws Refusal InvalidInput, InvalidExpiry, ScopeNotHeld
 */
export async function createApiKey(
  ctx: RequestContext,
  input: CreateApiKeyInput,
): Promise<{ apiKeyId: string; token: string }> {
  const tenant = tenantOf(ctx);
  const problems = problemsOf(ctx, input);
  const expired = input.expiresAt != null && input.expiresAt <= ctx.now ? [expiryPassed] : [];
  // What the caller may give is asked before anything is replayed; the clock only behind the claim of the idempotency key, so
  // that a retry which comes after the expiry is answered, not refused.
  if (problems.length > 0) refuseIfAny([...problems, ...expired]);
  return inTransaction(ctx, async (tx) => {
    refuseIfAny(expired);
    const token = newToken(tokenPrefixes.apiKey[tenant.mode]);
    const key = { name: input.name.trim(), scopes: [...new Set(input.scopes)], expiresAt: input.expiresAt ?? null };
    const { id } = await addApiKey(tx, tenant, key, token);
    return { apiKeyId: id, token };
  });
}

const expiryPassed = userError('InvalidExpiry', ['input', 'expiresAt'], 'Give an instant in the future.');

function problemsOf({ viewer }: RequestContext, input: CreateApiKeyInput): UserErrorData[] {
  const problems: UserErrorData[] = [];
  checkLength(problems, ['input', 'name'], input.name.trim(), 1, 255);
  if (input.scopes.length === 0)
    problems.push(userError('InvalidInput', ['input', 'scopes'], 'Give at least one scope.'));
  const held = viewer.principal === 'API_KEY' ? viewer.scopes : new Set<string>();
  const scopes = [...new Set(input.scopes)].filter((scope) => !held.has(scope));
  if (scopes.length > 0) {
    const message = `The calling key lacks ${scopes.join(', ')}, so it cannot give them.`;
    problems.push(userError('ScopeNotHeld', ['input', 'scopes'], message, { scopes }));
  }
  return problems;
}
