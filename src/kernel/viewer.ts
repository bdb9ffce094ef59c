import type { Scope } from '../generated/graphql.js';

/** Live data or test data: the token decides, the two never meet. */
export type Mode = 'LIVE' | 'TEST';

/** Who calls. Everything that a rule may ask of the caller stands here, read from the database once a request. */
export type Viewer = PublicViewer | ApiKeyViewer | CustomerViewer | OperatorViewer | SystemViewer;

/** Nobody in particular: a program that checks a key. The brand comes from `Brand-URL`. */
export interface PublicViewer {
  readonly principal: 'PUBLIC';
  readonly businessId: string | null;
  readonly brandId: string | null;
}

/** A business's own program, told by its API key. */
export interface ApiKeyViewer {
  readonly principal: 'API_KEY';
  readonly businessId: string;
  readonly mode: Mode;
  readonly apiKeyId: string;
  readonly scopes: ReadonlySet<Scope>;
  /** The brand that `Brand-URL` names; null when the header is absent. */
  readonly brandId: string | null;
}

/** One customer in a session that an API key issued; sees only its own rows. */
export interface CustomerViewer {
  readonly principal: 'CUSTOMER';
  readonly businessId: string;
  readonly mode: Mode;
  readonly customerId: string;
  readonly sessionId: string;
  readonly brandId: string | null;
}

/** Holder of `LATCHKEY_ADMIN_TOKEN`: creates businesses, and nothing else. */
export interface OperatorViewer {
  readonly principal: 'OPERATOR';
}

/** The server itself, for one tenant: a job that carries out what is due. */
export interface SystemViewer {
  readonly principal: 'SYSTEM';
  readonly businessId: string;
  readonly mode: Mode;
  readonly brandId: null;
}

/** A caller that belongs to one business and mode. */
export type TenantViewer = ApiKeyViewer | CustomerViewer | SystemViewer;
