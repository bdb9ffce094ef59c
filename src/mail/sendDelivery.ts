import type { Delivery } from '../generated/prisma/client.js';
import type { Task } from '../jobs/worker.js';
import { systemContext, type SystemParts } from '../jobs/systemContext.js';
import { globalId } from '../kernel/id.js';
import { tenantOf, type RequestContext } from '../kernel/requestContext.js';
import { columnsOf } from '../kernel/rows.js';
import { inSqlTransaction } from '../kernel/transaction.js';
import { MAIL_ATTEMPTS } from './attempts.js';
import type { SendDeliveryPayload } from './enqueueDeliveries.js';
import { forgetErasedMails } from './forgetErasedMails.js';
import { renderMail, type TemplateName, type TemplateVars } from './templates.js';
import type { DeliveryOutcome, MailTransport } from './transport.js';

/** What each mail is filled with, read when it is sent: so neither persons nor keys wait in the queue. */
export type MailContents = {
  /** Null: there is nothing to say any more, and the mail is withdrawn. */
  readonly [Name in TemplateName]: (
    ctx: RequestContext,
    delivery: Delivery,
  ) => Promise<{ vars: TemplateVars[Name] } | null>;
};

/** What sending mails needs. */
export interface SendDeliveryParts extends SystemParts {
  readonly contents: MailContents;
  readonly transport: MailTransport;
  /** The sender, such as `Acme <no-reply@acme.example>`; its host also ends the Message-IDs. */
  readonly mailFrom: string;
}

/** One address without a name, a list or white space: what could be read as more is not sent. */
const PLAIN_ADDRESS = /^[^\s@,;<>()[\]\\":]+@[^\s@,;<>()[\]\\":]+$/u;
const MAX_RESPONSE = 500;

/**
 * The job that sends one mail. A delivery that is SENT or FAILED is left alone, so a repeated job sends nothing. A worker that
 * dies between the mail server's yes and the mark of it makes one duplicate, with the same Message-ID; nothing can prevent that
 * without losing mails instead. Whatever happens touches the delivery only, never the grant.
 * @throws Error when the mail is to be tried again: the queue does, with growing pauses
 */
export function sendDelivery(parts: SendDeliveryParts): Task {
  const send: Task = async (payload) => {
    const { deliveryId, ...tenant } = payload as SendDeliveryPayload;
    const ctx = systemContext(parts, tenant);
    const delivery = await claimAttempt(ctx, deliveryId);
    if (!delivery) return;
    let outcome: DeliveryOutcome;
    try {
      outcome = await attempt(parts, ctx, delivery);
    } catch (error) {
      const fault = 'The mail could not be written: an internal fault.';
      await noteOutcome(ctx, delivery, { result: 'UNREACHABLE', response: fault });
      throw error;
    }
    const isNoted = await noteOutcome(ctx, delivery, outcome);
    if (outcome.result === 'UNREACHABLE') throw new Error('the mail server did not take a mail');
    // The grant came back while its mail was withdrawn: it is sent after all.
    if (outcome.result === 'WITHDRAWN' && !isNoted) await send(payload);
  };
  return send;
}

async function attempt(parts: SendDeliveryParts, ctx: RequestContext, delivery: Delivery): Promise<DeliveryOutcome> {
  const recipient = delivery.recipient ?? '';
  if (!PLAIN_ADDRESS.test(recipient)) return { result: 'REFUSED', response: 'The address is not one plain address.' };
  const template = delivery.template as TemplateName;
  const content = await parts.contents[template](ctx, delivery);
  if (!content) return { result: 'WITHDRAWN', response: null };
  return parts.transport({
    ...renderMail(template, content.vars),
    deliveryId: delivery.id,
    recipient,
    messageId: `${globalId('Delivery', delivery.id)}@${hostOf(parts.mailFrom)}`,
    date: ctx.now,
  });
}

/** The part after the @ of a sender. */
function hostOf(mailFrom: string): string {
  return /@([^\s<>@]+)>?$/.exec(mailFrom.trim())?.[1] ?? 'localhost';
}

/** Counts the attempt before it is made; null when there is nothing to send any more. */
async function claimAttempt(ctx: RequestContext, deliveryId: string): Promise<Delivery | null> {
  const { businessId, mode } = tenantOf(ctx);
  const { delivery } = await inSqlTransaction(ctx, async (tx) => {
    const [delivery] = await tx.sql<Delivery>(
      'claim_delivery_attempt',
      `UPDATE deliveries SET attempts = attempts + 1, version = version + 1, updated_at = $4
        WHERE business_id = $1 AND mode = $2 AND id = $3 AND status = 'QUEUED'
        RETURNING ${columnsOf('Delivery')}`,
      [businessId, mode, deliveryId, ctx.now],
    );
    return { delivery: delivery ?? null };
  });
  return delivery;
}

/**
 * Writes what became of an attempt; the last one that was in vain is final. What came back meanwhile is not withdrawn.
 * @returns whether it was written
 */
async function noteOutcome(ctx: RequestContext, delivery: Delivery, outcome: DeliveryOutcome): Promise<boolean> {
  const { businessId, mode } = tenantOf(ctx);
  const { result } = outcome;
  const sent = result === 'SENT';
  const failure = result !== 'SENT' && (result !== 'UNREACHABLE' || delivery.attempts >= MAIL_ATTEMPTS) ? result : null;
  const { noted } = await inSqlTransaction(ctx, async (tx) => ({
    noted: await tx.sql(
      'note_delivery_outcome',
      `UPDATE deliveries SET status = $4, failure = $5, response = $6, file = $7, sent_at = $8, version = version + 1,
          updated_at = $9
        WHERE business_id = $1 AND mode = $2 AND id = $3 AND status = 'QUEUED'
          AND ($5::delivery_failure IS DISTINCT FROM 'WITHDRAWN' OR version = $10) RETURNING id`,
      [
        ...[businessId, mode, delivery.id, sent ? 'SENT' : failure ? 'FAILED' : 'QUEUED', failure],
        ...[responseOf(outcome, delivery), sent ? outcome.file : null, sent ? ctx.now : null, ctx.now],
        delivery.version,
      ],
    ),
  }));
  // Perhaps the customer was erased while the mail was written: then nobody may find it.
  if (noted.length === 0 && sent && outcome.file !== null) await forgetErasedMails(ctx);
  return noted.length > 0;
}

/** What the server said, without the address that it likes to repeat: reading that needs a scope of its own. */
function responseOf({ response }: DeliveryOutcome, { recipient }: Delivery): string | null {
  if (response === null) return null;
  const text = recipient ? response.replaceAll(new RegExp(escaped(recipient), 'giu'), 'recipient') : response;
  return text.replace(/\p{Cc}+/gu, ' ').slice(0, MAX_RESPONSE);
}

function escaped(text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&');
}
