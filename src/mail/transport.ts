import { createTransport, type SendMailOptions } from 'nodemailer';
import { keepMail } from './keptMails.js';
import type { RenderedMail } from './templates.js';

/** A mail with its envelope. */
export interface OutgoingMail extends RenderedMail {
  readonly deliveryId: string;
  /** One plain address. */
  readonly recipient: string;
  /** Without angle brackets; the same at every attempt, so that a receiver knows a duplicate. */
  readonly messageId: string;
  readonly date: Date;
}

/** What became of one attempt. */
export type SendOutcome =
  | { readonly result: 'SENT'; readonly response: string | null; readonly file: string | null }
  /** The mail server will not take this mail, ever. */
  | { readonly result: 'REFUSED'; readonly response: string }
  /** Another time it may. */
  | { readonly result: 'UNREACHABLE'; readonly response: string };

/** An outcome, or that there was nothing to send any more. */
export type DeliveryOutcome = SendOutcome | { readonly result: 'WITHDRAWN'; readonly response: null };

/** Takes a mail; never throws for what a mail server or a network does. */
export type MailTransport = (mail: OutgoingMail) => Promise<SendOutcome>;

/** How long a mail server may take, in milliseconds. */
export interface MailTimeouts {
  readonly connect: number;
  readonly greeting: number;
  /** Without a sign of life. */
  readonly silence: number;
  /** In all: a server that says one byte at a time is no better than one that hangs. */
  readonly total: number;
}

const TIMEOUTS: MailTimeouts = { connect: 5_000, greeting: 5_000, silence: 15_000, total: 60_000 };
/** Contents are strings of ours: nothing in them may be read from a file or an address. */
const SHUT = { disableFileAccess: true, disableUrlAccess: true };
/** Commands that are about this mail; an answer to any other says something of us or of the server's state. */
const ABOUT_THE_MAIL = new Set(['MAIL FROM', 'RCPT TO', 'DATA']);

/** Sends mails through a mail server, each on a connection of its own. */
export function smtpTransport(url: string, from: string, timeouts: MailTimeouts = TIMEOUTS): MailTransport {
  const smtp = createTransport({
    url,
    connectionTimeout: timeouts.connect,
    greetingTimeout: timeouts.greeting,
    socketTimeout: timeouts.silence,
    dnsTimeout: timeouts.connect,
    ...SHUT,
  });
  return async (mail) => {
    try {
      const signal = AbortSignal.timeout(timeouts.total);
      const { response } = await smtp.sendMail({ ...messageOf(mail, from), signal });
      return { result: 'SENT', response, file: null };
    } catch (error) {
      return failureOf(error as SmtpError);
    }
  };
}

/** Keeps mails as files in a folder, for a server without a mail server. */
export function fileTransport(folder: string, from: string): MailTransport {
  const stream = createTransport({ streamTransport: true, buffer: true, newline: 'windows', ...SHUT });
  return async (mail) => {
    const { message } = await stream.sendMail(messageOf(mail, from));
    const file = await keepMail(folder, mail.deliveryId, { raw: message as Buffer, text: mail.text });
    return { result: 'SENT', response: null, file };
  };
}

function messageOf(mail: OutgoingMail, from: string): SendMailOptions {
  return {
    from,
    // As an object and without a name, an address cannot become two.
    to: { name: '', address: mail.recipient },
    subject: mail.subject,
    text: mail.text,
    html: mail.html,
    messageId: `<${mail.messageId}>`,
    date: mail.date,
    headers: { 'Auto-Submitted': 'auto-generated' },
  };
}

interface SmtpError extends Error {
  readonly code?: string;
  /** What the operating system said beneath, such as ECONNREFUSED. */
  readonly originalCode?: string;
  readonly command?: string;
  readonly response?: string;
  readonly responseCode?: number;
}

function failureOf({ code, originalCode, command, response, responseCode }: SmtpError): SendOutcome {
  if (response === undefined) {
    // The error's own text names the server's address, which is nobody's business but the operator's.
    return {
      result: 'UNREACHABLE',
      response: `The mail server did not answer (${originalCode ?? code ?? 'unknown'}).`,
    };
  }
  const final = responseCode !== undefined && responseCode >= 500 && ABOUT_THE_MAIL.has(command ?? '');
  return { result: final ? 'REFUSED' : 'UNREACHABLE', response };
}
