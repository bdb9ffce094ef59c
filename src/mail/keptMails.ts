import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { globalId } from '../kernel/id.js';

/** A mail that is kept instead of sent. */
export interface KeptMail {
  /** As a mail server would get it. */
  readonly raw: Buffer;
  readonly text: string;
}

/**
 * Keeps a mail in a folder as `<delivery id>.eml`, with its text beside it in `<delivery id>.txt`; readable by their owner only,
 * because they hold keys. Each file appears whole or not at all; keeping a mail again replaces it.
 * @returns the path of the `.eml` in the folder above, such as `mail/dlv_….eml`
 */
export async function keepMail(folder: string, deliveryId: string, { raw, text }: KeptMail): Promise<string> {
  await mkdir(folder, { recursive: true, mode: 0o700 });
  await writeWhole(pathOf(folder, deliveryId, 'txt'), text);
  await writeWhole(pathOf(folder, deliveryId, 'eml'), raw);
  return `mail/${globalId('Delivery', deliveryId)}.eml`;
}

/**
 * The text of a kept mail. The path is made of the delivery's id alone, so it cannot lead out of the folder.
 * @param folder null: this server sends its mails
 * @returns null when it is not there: kept by a worker elsewhere, or taken away since
 */
export async function keptText(folder: string | null, deliveryId: string): Promise<string | null> {
  if (folder === null) return null;
  try {
    return await readFile(pathOf(folder, deliveryId, 'txt'), 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw error;
  }
}

/** Removes a kept mail; tells whether there was one. */
export async function forgetKeptMail(folder: string, deliveryId: string): Promise<boolean> {
  const found = await Promise.all(
    (['eml', 'txt'] as const).map(async (extension) => {
      try {
        await rm(pathOf(folder, deliveryId, extension));
        return true;
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code === 'ENOENT') return false;
        throw error;
      }
    }),
  );
  return found.some(Boolean);
}

function pathOf(folder: string, deliveryId: string, extension: 'eml' | 'txt'): string {
  return join(folder, `${globalId('Delivery', deliveryId)}.${extension}`);
}

async function writeWhole(path: string, content: string | Buffer): Promise<void> {
  const unfinished = `${path}.${process.pid}.tmp`;
  await writeFile(unfinished, content, { mode: 0o600 });
  await rename(unfinished, path);
}
