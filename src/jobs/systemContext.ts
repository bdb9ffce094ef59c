import { randomUUID } from 'node:crypto';
import type { RequestContext, Tenant } from '../kernel/requestContext.js';

/** What the server's own work is made from; the same for all jobs of a process. */
export interface SystemParts extends Pick<RequestContext, 'db' | 'keyring' | 'mailFolder'> {
  readonly clock: () => Date;
}

/** The context in which the server itself does something for one tenant: a job that carries out what is due. */
export function systemContext({ db, keyring, mailFolder, clock }: SystemParts, tenant: Tenant): RequestContext {
  return {
    db,
    keyring,
    mailFolder,
    viewer: { principal: 'SYSTEM', ...tenant, brandId: null },
    now: clock(),
    requestId: `job-${randomUUID()}`,
    actor: null,
    guesses: null,
    idempotency: null,
  };
}
