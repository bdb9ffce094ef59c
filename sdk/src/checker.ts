import { createClient, type ClientOptions } from './client.js';
import { LatchkeyError, orThrow } from './errors.js';
import type {
  ActivateLicenseKeyMutation,
  LicenseKeyValidationFieldsFragment,
  ValidateLicenseKeyQueryVariables,
} from './generated/sdk.js';

/** Keeps one text between runs of a program. */
export interface CheckStore {
  /** Null: nothing was kept. */
  read(): Promise<string | null>;
  write(text: string): Promise<void>;
}

/** What a program checks, and how long it believes what it was told. */
export interface CheckerOptions extends Pick<ClientOptions, 'url' | 'brandUrl' | 'fetch' | 'timeoutMs'> {
  /** The license key, as the customer entered it. */
  readonly key: string;
  /** What tells this device from others, and stays the same. */
  readonly fingerprint: string;
  /** SKU of the product that the key must be for. */
  readonly productSku?: string;
  /** Name of the version that runs. */
  readonly version?: string;
  /** Whether test keys are checked; default: live ones. */
  readonly testMode?: boolean;
  /** Where the last answer is kept; default: in memory, so that it is gone with the program. */
  readonly store?: CheckStore;
  /** Seconds for which a good answer is believed without asking again; default 3,600. */
  readonly refreshSeconds?: number;
  /** Seconds for which a good answer counts while the server cannot be reached; default 604,800: a week. */
  readonly graceSeconds?: number;
  /** Milliseconds since 1970; default: the system's clock. */
  readonly now?: () => number;
}

/** What the server answered. */
export type Validation = LicenseKeyValidationFieldsFragment;

/** What a program goes by. */
export interface CheckResult {
  /** Whether the program may run. */
  readonly usable: boolean;
  /** Where that comes from: asked just now, kept and fresh, kept because the server cannot be reached, or known from nowhere. */
  readonly source: 'SERVER' | 'CACHE' | 'GRACE' | 'NONE';
  /** The server's answer; null: there is none. */
  readonly validation: Validation | null;
  /** Every check that failed, warnings too. */
  readonly checks: Validation['checks'];
  /** Why the server could not be asked; null: it was, or need not be. */
  readonly failure: LatchkeyError | null;
}

/** The license check of one program on one device. */
export interface Checker {
  /**
   * Whether the program may run. Asks the server unless a good answer is fresh; what was kept helps out while it is away.
   * @throws LatchkeyError when the server refuses the question itself, such as for an unknown brand
   */
  check(): Promise<CheckResult>;
  /**
   * Activates the key on this device, and forgets what was kept.
   * @throws UserErrorsError `LicenseKeyNotValid`, `ActivationLimitReached`; LatchkeyError
   */
  activate(device?: { name?: string; leaseSeconds?: number }): Promise<Activation>;
  /** Renews this device's lease. @throws UserErrorsError `LicenseKeyNotValid`, `ActivationEnded`, `ActivationNotFound`; LatchkeyError */
  heartbeat(): Promise<Activation>;
  /** Frees this device's seat, and forgets what was kept. @throws UserErrorsError `ActivationNotFound`; LatchkeyError */
  deactivate(): Promise<Activation>;
}

/** A device of a key. */
export type Activation = NonNullable<ActivateLicenseKeyMutation['activateLicenseKey']['activation']>;

interface Kept {
  /** Fingerprint of what was asked: an answer for another key, device or version does not count. */
  readonly question: string;
  /** When it was answered, by this device's clock. */
  readonly at: number;
  /** The latest time that this device's clock has shown since. */
  readonly seenAt: number;
  readonly validation: Validation;
}

const TIMEOUT_MS = 5_000;
const REFRESH_SECONDS = 3_600;
const GRACE_SECONDS = 7 * 86_400;
/** Clocks are set back a little now and then; by more, a kept answer is not believed. */
const SET_BACK_MS = 300_000;
/** So much of that is not noted, so that not every check writes. */
const SEEN_MS = 60_000;

/** The license check of a program that customers run: needs no token, and bridges the time in which the server is away. */
export function createChecker(options: CheckerOptions): Checker {
  const { url, brandUrl, fetch, timeoutMs = TIMEOUT_MS, now = Date.now, store = memoryStore() } = options;
  const { key, fingerprint, testMode, productSku, version } = options;
  const client = createClient({ url, brandUrl, fetch, timeoutMs, retries: 0 });
  const device = { key, fingerprint, testMode };
  const input = { ...device, productSku, version };
  const asked = questionOf(url, brandUrl, input);
  const forget = () => store.write('');
  // An answer that cannot be kept counts all the same.
  const keep = (answer: Kept) => store.write(JSON.stringify(answer)).catch(() => undefined);
  return {
    async check() {
      const kept = await keptAnswer(store, await asked);
      const good = kept && isGood(kept, now()) ? kept : null;
      if (kept && now() > kept.seenAt + SEEN_MS) await keep({ ...kept, seenAt: now() });
      if (good && now() < good.at + (options.refreshSeconds ?? REFRESH_SECONDS) * 1_000) return result('CACHE', good);
      try {
        const { validateLicenseKey: validation } = await client.validateLicenseKey({ input });
        if (!validation) throw new TypeError('an answer without errors has a validation');
        const answer = { question: await asked, at: now(), seenAt: now(), validation };
        await keep(answer);
        return result('SERVER', answer);
      } catch (error) {
        if (!(error instanceof LatchkeyError) || !error.retryable) throw error;
        const inGrace = good && now() < good.at + (options.graceSeconds ?? GRACE_SECONDS) * 1_000;
        return result(inGrace ? 'GRACE' : 'NONE', inGrace ? good : null, error);
      }
    },
    async activate(given = {}) {
      const { activation } = orThrow(
        (await client.activateLicenseKey({ input: { ...device, ...given } })).activateLicenseKey,
      );
      await forget();
      return activation;
    },
    async heartbeat() {
      return orThrow((await client.heartbeatActivation({ input: device })).heartbeatActivation).activation;
    },
    async deactivate() {
      const { activation } = orThrow((await client.deactivateLicenseKey({ input: device })).deactivateLicenseKey);
      await forget();
      return activation;
    },
  };
}

/** Keeps the answer in a file, which need not be there yet; for Node.js. */
export function fileStore(path: string): CheckStore {
  return {
    async read() {
      const { readFile } = await import('node:fs/promises');
      return readFile(path, 'utf8').catch(() => null);
    },
    async write(text) {
      const { rename, writeFile } = await import('node:fs/promises');
      // Renamed into place, so that a program that is killed leaves the old answer or the new one.
      const file = `${path}.${crypto.randomUUID()}.new`;
      await writeFile(file, text, { mode: 0o600 });
      await rename(file, path);
    },
  };
}

function memoryStore(): CheckStore {
  let kept: string | null = null;
  return {
    read: async () => kept,
    write: async (text) => void (kept = text),
  };
}

/** SHA-256 of what is asked, so that the kept answer does not hold the key. */
async function questionOf(
  url: string,
  brandUrl: string | undefined,
  input: ValidateLicenseKeyQueryVariables['input'],
): Promise<string> {
  const { key, fingerprint, testMode, productSku, version } = input;
  const text = JSON.stringify([url, brandUrl, key, fingerprint, testMode ?? false, productSku, version]);
  const hash = await crypto.subtle.digest('SHA-256', new TextEncoder().encode(text));
  return Array.from(new Uint8Array(hash), (byte) => byte.toString(16).padStart(2, '0')).join('');
}

/** The kept answer to this question; null for none, another one, or what cannot be read. */
async function keptAnswer(store: CheckStore, question: string): Promise<Kept | null> {
  const text = await store.read();
  if (!text) return null;
  try {
    const kept = JSON.parse(text) as Kept;
    const isWhole = typeof kept.at === 'number' && typeof kept.seenAt === 'number';
    return kept.question === question && isWhole ? kept : null;
  } catch {
    return null;
  }
}

/** Whether a kept answer still says that the program may run: its key has not ended since, and the clock was not set back. */
function isGood({ seenAt, validation }: Kept, now: number): boolean {
  const ends = [validation.expiresAt, validation.activation?.leaseUntil].filter((end) => end != null);
  return validation.valid && now > seenAt - SET_BACK_MS && ends.every((end) => now < Date.parse(end));
}

function result(source: CheckResult['source'], kept: Kept | null, failure: LatchkeyError | null = null): CheckResult {
  const validation = kept?.validation ?? null;
  return { usable: validation?.valid ?? false, source, validation, checks: validation?.checks ?? [], failure };
}
