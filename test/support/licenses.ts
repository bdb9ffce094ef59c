import { pino, type Logger } from 'pino';
import { readConfig } from '../../src/config.js';
import { keyringOf } from '../../src/keyring.js';
import { applyDueLicenseChanges } from '../../src/licenses/applyDueLicenseChanges.js';
import { parseGlobalId } from '../../src/kernel/id.js';
import { testEnvironment, type Api } from './api.js';
import { newCustomer } from './business.js';
import { attachEntitlement, newEntitlement, newProductOffering } from './catalog.js';

type Fields = Record<string, unknown>;

/** Id of a new license; of a new offering and customer unless they are given. Fields as `createLicense` takes them. */
export async function newLicense(api: Api, token: string, fields: Fields = {}): Promise<string> {
  const productOfferingId = fields.productOfferingId ?? (await newProductOffering(api, token));
  const customerId = fields.customerId ?? (await newCustomer(api, token));
  const { createLicense } = await api.data({
    token,
    query: `mutation ($input: CreateLicenseInput!) { createLicense(input: $input) { license { id } userErrors { message } } }`,
    variables: { input: { productOfferingId, customerId, ...fields } },
  });
  return createLicense.license.id;
}

/** Id of a new grant; of a new entitlement and customer unless they are given. Fields as `issueGrant` takes them. */
export async function newGrant(api: Api, token: string, fields: Fields = {}): Promise<string> {
  const entitlementId = fields.entitlementId ?? (await newEntitlement(api, token));
  const customerId = fields.customerId ?? (await newCustomer(api, token, { email: null }));
  const { issueGrant } = await api.data({
    token,
    query: `mutation ($input: IssueGrantInput!) { issueGrant(input: $input) { grant { id } userErrors { message } } }`,
    variables: { input: { entitlementId, customerId, ...fields } },
  });
  return issueGrant.grant.id;
}

/** Id of a new grant that waits for a person to supply its key; `licenseKey` as `newEntitlement` takes it. */
export async function newPendingGrant(
  api: Api,
  token: string,
  { licenseKey = {}, ...fields }: Fields = {},
): Promise<string> {
  const configuration = { fulfillmentMode: 'MANUAL', ...(licenseKey as Fields) };
  const entitlementId = fields.entitlementId ?? (await newEntitlement(api, token, { licenseKey: configuration }));
  return newGrant(api, token, { ...fields, entitlementId });
}

/** Id of a new offering whose licenses each grant a key: `licenseKey` as `newEntitlement` takes it. */
export async function newKeyedOffering(api: Api, token: string, licenseKey: Fields = {}): Promise<string> {
  const productOfferingId = await newProductOffering(api, token);
  await attachEntitlement(api, token, { target: { productOfferingId }, licenseKey });
  return productOfferingId;
}

/** What can be done to a license, and what asks to drop what is scheduled. */
export type LicenseEvent = 'activate' | 'pause' | 'resume' | 'block' | 'unblock' | 'cancel' | 'cancelPending';

/** Calls `pauseLicense` and its like; gives the payload, with everything of the license that they change. */
export async function changeLicense(
  api: Api,
  token: string,
  event: LicenseEvent,
  licenseId: string,
  more: Fields = {},
): Promise<any> {
  const name = event === 'cancelPending' ? 'cancelPendingLicenseChange' : `${event}License`;
  const type = `${name[0]?.toUpperCase()}${name.slice(1)}Input`;
  const query = `mutation ($input: ${type}!) { ${name}(input: $input) {
    license { id status validFrom validUntil validity isActive activatedAt pausedAt cancelledAt version
      pendingStatus { status scheduledAt } }
    userErrors { __typename message path code
      ... on IllegalTransition { from to allowed } ... on StaleObject { current } } } }`;
  const answer = await api.call({ token, query, variables: { input: { licenseId, ...more } } });
  if (answer.errors) throw new Error(JSON.stringify(answer.errors));
  return answer.data[name];
}

const keyring = keyringOf(readConfig(testEnvironment));

/** One run of the worker's job at an instant: gives of how many licenses it wrote something. */
export function runDueChanges(
  api: Api,
  instant: Date | string,
  log: Logger = pino({ level: 'silent' }),
): Promise<number> {
  const now = new Date(instant);
  return applyDueLicenseChanges({ db: api.db, keyring, mailFolder: null, clock: () => now, now, log });
}

/** Tables of a test's own database whose rows a refused mutation must leave alone. */
const watched = ['licenses', 'license_keys', 'license_key_bindings', 'grants', 'deliveries', 'changes'];

/** A picture of every row that licenses, keys and grants have; two equal ones: nothing was written between them. */
export async function rowsOf(api: Api): Promise<string> {
  const parts = watched.map((table) => `SELECT '${table}' AS name, to_jsonb(t)::text AS row FROM ${table} t`);
  const rows = await api.db.sql<{ name: string; row: string }>(null, `${parts.join(' UNION ALL ')} ORDER BY 1, 2`, []);
  return JSON.stringify(rows);
}

/** A change as its object's history tells it, and the snapshot that events carry. */
export interface RecordedChange {
  type: string;
  sequence: number;
  actor_kind: string;
  actor_name: string | null;
  reason: string | null;
  before: Record<string, unknown> | null;
  after: Record<string, unknown> | null;
  snapshot: Record<string, unknown>;
  created_at: Date;
}

/** What was recorded about an object, the oldest first. */
export async function changesOf(api: Api, objectId: string): Promise<RecordedChange[]> {
  const text = `SELECT type, sequence, actor_kind, actor_name, reason, before, after, snapshot, created_at
    FROM changes WHERE object_id = $1 ORDER BY sequence`;
  return api.db.sql<RecordedChange>(null, text, [rowId(objectId)]);
}

/** The id that a row has in its table. */
export function rowId(id: string): string {
  const parsed = parseGlobalId(id);
  if (!parsed) throw new Error(`${id} is no id`);
  return parsed.uuid;
}
