import { pino, type DestinationStream, type Logger } from 'pino';
import pretty from 'pino-pretty';

export type { Logger } from 'pino';

/** Where a token could stand if somebody ever logged headers: never written. */
const secrets = ['authorization', 'x-api-key', 'auth-key', 'cookie'].flatMap((name) => [
  `headers["${name}"]`,
  `req.headers["${name}"]`,
  `request.headers["${name}"]`,
]);

/** The process's log: JSON lines on stdout; readable for a human who watches a development server in a terminal. */
export function createLog(
  config: { readonly logLevel: string; readonly production: boolean },
  destination: DestinationStream & { isTTY?: boolean } = process.stdout,
): Logger {
  const options = { level: config.logLevel, redact: { paths: secrets, censor: '[secret]' } };
  const readable = !config.production && destination.isTTY === true;
  return readable ? pino(options, pretty({ destination, ignore: 'pid,hostname' })) : pino(options, destination);
}
