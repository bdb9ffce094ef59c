import type { IncomingHttpHeaders } from 'node:http';
import { GraphQLError } from 'graphql';
import type { Authenticate } from './accounts/authenticate.js';
import type { FindBrand } from './accounts/findBrand.js';
import type { ToolkitContext } from './graphql/toolkitContext.js';
import { wholeRows, type Columns } from './kernel/columns.js';
import type { Database } from './kernel/database.js';
import type { GuessAllowance, RequestContext } from './kernel/requestContext.js';
import { sameSecret, type Keyring } from './kernel/secret.js';
import type { Viewer } from './kernel/viewer.js';
import { createLoaders, type Loaders } from './loaders.js';

/** What resolvers get: the request, its loaders, and what the toolkit notes down. */
export interface GraphQLContext extends ToolkitContext {
  readonly loaders: Loaders;
}

/** What contexts are made from; the same for all requests. */
export interface ContextParts {
  readonly db: Database;
  readonly keyring: Keyring;
  /** Where mails are kept as files; null: they are sent. */
  readonly mailFolder: string | null;
  readonly authenticate: Authenticate;
  readonly findBrand: FindBrand;
  /** `LATCHKEY_ADMIN_TOKEN`; null: there is no operator. */
  readonly adminToken: string | null;
  readonly clock: () => Date;
  /** What an address may still guess; absent: anything. */
  readonly guessesOf?: (ip: string) => GuessAllowance | null;
  /** Told after each mutation. */
  readonly onMutation?: () => void;
}

/** What a request says of its caller. */
export interface Caller {
  readonly headers: IncomingHttpHeaders;
  /** Names and values in turn, doubled headers included. */
  readonly rawHeaders: readonly string[];
  readonly ip: string;
  readonly requestId: string;
}

const MAX_ACTOR = 255;

/**
 * Tells who calls and makes the context.
 * @throws GraphQLError UNAUTHENTICATED for a token that is malformed, unknown, expired or revoked, or for two that differ;
 *   BRAND_NOT_FOUND for a brand that is unknown or another business's; BAD_REQUEST for headers that contradict themselves
 */
export async function contextFor(parts: ContextParts, caller: Caller): Promise<GraphQLContext> {
  const now = parts.clock();
  const viewer = await viewerOf(parts, caller, now);
  return contextOf(
    {
      db: parts.db,
      viewer,
      now,
      requestId: caller.requestId,
      // Nobody vouches for the name that a caller without a token gives itself.
      actor: viewer.principal === 'PUBLIC' ? null : actorOf(caller.headers),
      keyring: parts.keyring,
      mailFolder: parts.mailFolder,
      guesses: guessesOf(parts, viewer, caller.ip),
      idempotency: null,
    },
    idempotencyKeyOf(caller.headers),
    parts.onMutation,
  );
}

/** The context of a request whose caller is known. `onMutation` is told whenever a mutation has ended. */
export function contextOf(
  request: RequestContext,
  idempotencyKeyHeader: string | null,
  onMutation?: () => void,
): GraphQLContext {
  return new Context(request, idempotencyKeyHeader, onMutation);
}

/** A class, because an object with an accessor of its own is slow to make. */
class Context implements GraphQLContext {
  mutationFieldCount = 0;
  columns: Columns = wholeRows;
  readonly idempotency: GraphQLContext['idempotency'] = [];
  readonly denied = new Set<string>();
  private made: Loaders | undefined;

  constructor(
    readonly request: RequestContext,
    readonly idempotencyKeyHeader: string | null,
    private readonly onMutation: (() => void) | undefined,
  ) {}

  get loaders(): Loaders {
    return (this.made ??= createLoaders(this.request, this.columns));
  }

  renewLoaders(): void {
    this.made = undefined;
    this.onMutation?.();
  }
}

/** Who holds an API key is the vendor, and needs no guessing. */
function guessesOf({ guessesOf }: ContextParts, { principal }: Viewer, ip: string): GuessAllowance | null {
  return principal === 'API_KEY' ? null : (guessesOf?.(ip) ?? null);
}

async function viewerOf(parts: ContextParts, { headers, rawHeaders }: Caller, now: Date): Promise<Viewer> {
  const token = tokenOf(rawHeaders);
  const brandUrl = singleHeader(headers, 'brand-url')?.trim() || null;
  if (token !== null && parts.adminToken !== null && sameSecret(token, parts.adminToken))
    return { principal: 'OPERATOR' };
  const known = token === null ? null : await parts.authenticate(token, now);
  if (token !== null && !known) {
    throw requestError('UNAUTHENTICATED', 'The token is malformed, unknown, expired or revoked. Get a new one.');
  }
  const brand = brandUrl === null ? null : await parts.findBrand(brandUrl);
  if (brandUrl !== null && (!brand || (known && known.businessId !== brand.businessId))) {
    throw requestError('BRAND_NOT_FOUND', `There is no brand ${JSON.stringify(brandUrl)}. Check the header Brand-URL.`);
  }
  if (known) return brand ? { ...known, brandId: brand.id } : known;
  return { principal: 'PUBLIC', businessId: brand?.businessId ?? null, brandId: brand?.id ?? null };
}

const tokenHeaders = new Set(['authorization', 'x-api-key', 'auth-key']);
const tokenHeaderLengths = new Set([...tokenHeaders].map(({ length }) => length));

/**
 * The one token of a request, from any of the three headers that vendors' clients send. Read from the raw headers: Node drops
 * a second `Authorization`, and two tokens that differ must be seen.
 */
function tokenOf(rawHeaders: readonly string[]): string | null {
  const tokens = new Set<string>();
  for (let i = 0; i < rawHeaders.length; i += 2) {
    const given = rawHeaders[i] as string;
    if (!tokenHeaderLengths.has(given.length)) continue;
    const name = given.toLowerCase();
    if (!tokenHeaders.has(name)) continue;
    const value = (rawHeaders[i + 1] as string).trim();
    const token = name === 'authorization' ? /^(?:Bearer\s+)?(\S+)$/i.exec(value)?.[1] : value;
    if (!token) throw requestError('UNAUTHENTICATED', 'Give `Authorization: Bearer <token>`.');
    tokens.add(token);
  }
  if (tokens.size > 1) throw requestError('UNAUTHENTICATED', 'Two different tokens were given. Give one.');
  return tokens.values().next().value ?? null;
}

function idempotencyKeyOf(headers: IncomingHttpHeaders): string | null {
  const [standard, extended] = [singleHeader(headers, 'idempotency-key'), singleHeader(headers, 'x-idempotency-key')];
  if (standard !== null && extended !== null && standard !== extended) {
    throw requestError('BAD_REQUEST', '`Idempotency-Key` and `X-Idempotency-Key` differ. Give one of them.');
  }
  return standard ?? extended;
}

function actorOf(headers: IncomingHttpHeaders): string | null {
  const raw = singleHeader(headers, 'x-actor')?.trim();
  if (!raw) return null;
  // HTTP carries bytes; clients that name people in UTF-8 mean UTF-8.
  const actor = Buffer.from(raw, 'latin1').toString('utf8');
  if (actor.length > MAX_ACTOR || /[\uFFFD\p{Cc}\p{Bidi_Control}]/u.test(actor)) {
    throw requestError('BAD_REQUEST', `\`X-Actor\` takes up to ${MAX_ACTOR} printable characters in UTF-8.`);
  }
  return actor;
}

function singleHeader(headers: IncomingHttpHeaders, name: string): string | null {
  const value = headers[name];
  return (Array.isArray(value) ? value[0] : value) ?? null;
}

function requestError(code: 'UNAUTHENTICATED' | 'BRAND_NOT_FOUND' | 'BAD_REQUEST', message: string): GraphQLError {
  return new GraphQLError(message, { extensions: { code } });
}
