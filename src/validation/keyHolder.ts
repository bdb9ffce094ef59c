import { soleBusiness } from '../accounts/soleBusiness.js';
import { ClientError } from '../kernel/clientError.js';
import type { RequestContext } from '../kernel/requestContext.js';
import type { Mode } from '../kernel/viewer.js';
import { exclusivePatterns, type ExclusivePatterns } from './exclusivePatterns.js';

/** Whose keys a caller asks about. */
export interface KeyHolder {
  readonly businessId: string;
  /** The brand that `Brand-URL` names; null: any of the business. */
  readonly brandId: string | null;
  /** What the caller's token is for; null without one. */
  readonly mode: Mode | null;
  /** What a key that begins with one of their prefixes must look like. */
  readonly patterns: ExclusivePatterns;
}

/**
 * Whose keys a caller asks about: its token's business, else its brand's, else the only one that there is.
 * @throws ClientError BRAND_NOT_FOUND for an anonymous caller without a brand on a server of several businesses
 */
export async function keyHolder({ viewer, db }: RequestContext): Promise<KeyHolder> {
  if (viewer.principal === 'OPERATOR') throw new Error('the operator has no keys');
  const { brandId } = viewer;
  const businessId = viewer.businessId ?? (await soleBusiness(db));
  if (businessId) {
    const mode = viewer.principal === 'PUBLIC' ? null : viewer.mode;
    return { businessId, brandId, mode, patterns: await exclusivePatterns(db, businessId) };
  }
  throw new ClientError('BRAND_NOT_FOUND', 'Say whose license key it is: send the header Brand-URL.');
}

/** The mode that a caller asks about; null when its token is for the other one. */
export function modeAsked({ mode }: KeyHolder, testMode: boolean | null | undefined): Mode | null {
  const asked = testMode == null ? (mode ?? 'LIVE') : testMode ? 'TEST' : 'LIVE';
  return mode === null || mode === asked ? asked : null;
}

/** Both modes, the one that is asked about first. */
export function bothModes(asked: Mode): [Mode, Mode] {
  return asked === 'LIVE' ? ['LIVE', 'TEST'] : ['TEST', 'LIVE'];
}
