import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import PostalMime, { type Email } from 'postal-mime';
import { SMTPServer } from 'smtp-server';

/** A mail as the server took it. */
export interface ReceivedMail {
  /** The envelope: who really gets it. */
  readonly recipients: string[];
  readonly raw: string;
  readonly mail: Email;
}

/** What the server is asked to decide on. */
export interface SmtpQuestion {
  readonly command: 'RCPT' | 'DATA';
  readonly recipient: string;
  /** Counts all questions of this command, from 1. */
  readonly nth: number;
}

export interface SmtpServer {
  /** For `SMTP_URL`. */
  readonly url: string;
  /** Mails that the server took, in order. */
  readonly mails: ReceivedMail[];
  /** Questions asked, by command: a mail that is refused counts too. */
  readonly asked: Record<SmtpQuestion['command'], number>;
  stop(): Promise<void>;
}

/**
 * A real SMTP server on the loopback.
 * @param respond an answer such as `550 5.1.1 No such user`; null, or no function: everything is taken. A DATA answer is
 *   given after the mail was kept in `mails`.
 */
export async function startSmtpServer({
  respond = async () => null,
}: { respond?: (question: SmtpQuestion) => Promise<string | null> } = {}): Promise<SmtpServer> {
  const mails: ReceivedMail[] = [];
  const asked = { RCPT: 0, DATA: 0 };
  const ask = async (command: SmtpQuestion['command'], recipient: string): Promise<Error | null> => {
    const answer = await respond({ command, recipient, nth: ++asked[command] });
    if (answer === null) return null;
    return Object.assign(new Error(answer.slice(4)), { responseCode: Number(answer.slice(0, 3)) });
  };
  const server = new SMTPServer({
    disabledCommands: ['AUTH', 'STARTTLS'],
    onRcptTo: ({ address }, _session, callback) => void ask('RCPT', address).then((error) => callback(error)),
    onData: (stream, { envelope }, callback) => {
      const chunks: Buffer[] = [];
      stream.on('data', (chunk: Buffer) => chunks.push(chunk));
      stream.on('end', () => {
        const recipients = envelope.rcptTo.map(({ address }) => address);
        void take(Buffer.concat(chunks), recipients).then((error) => callback(error));
      });
    },
  });
  async function take(bytes: Buffer, recipients: string[]): Promise<Error | null> {
    const received = { recipients, raw: bytes.toString('utf8'), mail: await PostalMime.parse(bytes) };
    mails.push(received);
    const error = await ask('DATA', recipients.join());
    if (error) mails.splice(mails.indexOf(received), 1);
    return error;
  }
  server.on('error', () => undefined); // connections that a dying client leaves behind
  server.listen(0, '127.0.0.1');
  await once(server.server, 'listening');
  const { port } = server.server.address() as AddressInfo;
  return {
    url: `smtp://127.0.0.1:${port}`,
    mails,
    asked,
    stop: () => new Promise((resolve) => server.close(() => resolve())),
  };
}
