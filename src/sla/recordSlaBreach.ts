import { recordChange } from '../events/recordChange.js';
import type { RecordSlaBreachInput } from '../generated/graphql.js';
import type { ProductKey, SlaBreach, SlaDefinitionVersion } from '../generated/prisma/client.js';
import { refuseErased } from '../kernel/erased.js';
import { newId } from '../kernel/id.js';
import { refusal } from '../kernel/refusal.js';
import { tenantOf, type RequestContext } from '../kernel/requestContext.js';
import { inTransaction, type SqlTx } from '../kernel/transaction.js';
import { creditBreaches } from '../productKeys/creditBreaches.js';
import { lockProductKey } from '../productKeys/lockProductKey.js';
import { sharesOf, totalsOf, type Share } from '../productKeys/slaShares.js';
import { decimalOf } from '../slaDefinitions/measure.js';
import { slaDefinitionMissing } from '../slaDefinitions/lockSlaDefinition.js';
import { versionAt } from './attachments.js';
import { judgeBreach } from './judgeBreach.js';
import { readPaid } from './readPaid.js';
import { findTold, refuseOverlap, toldBreach, type ToldBreach } from './toldBreach.js';

interface Recorded {
  slaBreachId: string;
  productKeyId: string;
  customerId: string;
  ledgerEntryIds: string[];
}

/**
 * Records that an SLA of a product key was not kept, judged by the version that held when the breach began, and credits the owner
 * with what the one penalty gives back that the measured value deserves. The key's row is locked first and the wallet last, so
 * that of many at once each takes what the ones before left of a payment. Told again under its external id, it changes nothing.
 * @throws Refusal InvalidInput, ProductKeyNotFound, ModeMismatch, BrandMismatch, ExternalIdTaken, SlaDefinitionNotFound,
 *   SlaNotAttached, SlaMetricNotPromised, SlaNotBreached, SlaBreachOverlaps, CustomerErased where a note is given,
 *   BalanceLimitExceeded
 */
export async function recordSlaBreach(ctx: RequestContext, input: RecordSlaBreachInput): Promise<Recorded> {
  const told = toldBreach(input);
  return inTransaction(ctx, async (tx) => {
    const key = await lockProductKey(tx, { productKeyId: input.productKeyId });
    const refs = { productKeyId: key.id, customerId: key.customerId };
    const before = await findTold(tx, key, told);
    if (before) return { ...refs, slaBreachId: before.id, ledgerEntryIds: await entriesOf(tx, before) };
    if (told.endsAt > ctx.now) {
      const message = 'It is not over yet. Record it when it is, with its end.';
      throw refusal('InvalidInput', ['input', 'endsAt'], message);
    }
    const version = await versionThatHeld(tx, key, told);
    const deserved = judgeBreach(version, told.metric, told.measured);
    await refuseOverlap(tx, key, told);
    if (told.note !== null) refuseErased(await ownerOf(tx, key), ['input', 'note']);
    const shares = deserved ? sharesOf(deserved.penalty, await readPaid(tx, key, told)) : [];
    const breach = addBreach(tx, key, {
      ...told,
      slaDefinitionVersionId: version.id,
      penaltyIndex: deserved?.index ?? null,
    });
    recordBreach(tx, breach, shares);
    const reason = `Product key ${key.number}: ${breach.metric} of ${decimalOf(breach.measured)} broke its SLA.`;
    const ofBreach = shares.map((share) => [breach.id, share] as const);
    return { ...refs, slaBreachId: breach.id, ledgerEntryIds: await creditBreaches(tx, key, ofBreach, reason) };
  });
}

/** @throws Refusal SlaDefinitionNotFound, ModeMismatch, SlaNotAttached */
async function versionThatHeld(tx: SqlTx, key: ProductKey, told: ToldBreach): Promise<SlaDefinitionVersion> {
  const version = await versionAt(tx, key, told.slaDefinitionId, told.startsAt);
  if (version) return version;
  const { businessId, mode } = tenantOf(tx.ctx);
  const path = ['input', 'slaDefinitionId'];
  const known = await tx.sql(
    'is_sla_definition',
    'SELECT 1 AS one FROM sla_definitions WHERE business_id = $1 AND mode = $2 AND id = $3',
    [businessId, mode, told.slaDefinitionId],
  );
  if (known.length === 0) throw await slaDefinitionMissing(tx, told.slaDefinitionId, path);
  const at = told.startsAt.toISOString();
  const message = `The SLA did not hold for the product key at ${at}, when the breach began. Read \`slas(includeDetached: true)\`.`;
  throw refusal('SlaNotAttached', path, message);
}

async function ownerOf(tx: SqlTx, { businessId, mode, customerId }: ProductKey): Promise<{ erasedAt: Date | null }> {
  const [owner] = await tx.sql<{ erasedAt: Date | null }>(
    'erasure_of_breached_owner',
    'SELECT erased_at AS "erasedAt" FROM customers WHERE business_id = $1 AND mode = $2 AND id = $3',
    [businessId, mode, customerId],
  );
  return owner ?? { erasedAt: null };
}

function addBreach(
  tx: SqlTx,
  { id: productKeyId, customerId }: ProductKey,
  judged: ToldBreach & Pick<SlaBreach, 'slaDefinitionVersionId' | 'penaltyIndex'>,
): SlaBreach {
  const breach = {
    ...tenantOf(tx.ctx),
    id: newId(),
    productKeyId,
    customerId,
    ...judged,
    version: 1,
    createdAt: tx.ctx.now,
  };
  tx.insert('sla_breaches', breach);
  return breach;
}

function recordBreach(tx: SqlTx, breach: SlaBreach, shares: readonly Share[]): void {
  const credits = [...totalsOf(shares)].map(([currency, amount]) => ({ currency, amountMinor: amount.toString() }));
  recordChange(tx, {
    type: 'sla.breached',
    objectType: 'SlaBreach',
    objectId: breach.id,
    sequence: 1,
    snapshot: { ...breach, measured: decimalOf(breach.measured), credits },
  });
}

/** The ledger entries of a breach that was recorded before, by currency. */
async function entriesOf(tx: SqlTx, { businessId, mode, id }: SlaBreach): Promise<string[]> {
  const rows = await tx.sql<{ id: string }>(
    'entries_of_sla_breach',
    `SELECT ledger_entry_id AS id FROM sla_breach_credits WHERE business_id = $1 AND mode = $2 AND sla_breach_id = $3
      GROUP BY ledger_entry_id, currency ORDER BY currency, ledger_entry_id`,
    [businessId, mode, id],
  );
  return rows.map((row) => row.id);
}
