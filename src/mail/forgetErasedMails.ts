import type { Database } from '../kernel/database.js';
import { forgetKeptMail } from './keptMails.js';

const AT_ONCE = 1_000;
/** A file that is not here may lie with another worker; for a day every worker looks for it. */
const SOUGHT_MS = 86_400_000;

/** What it takes to find kept mails. */
export interface KeptMailParts {
  readonly db: Database;
  readonly mailFolder: string | null;
  readonly now: Date;
}

/**
 * Removes the files of mails whose recipients were erased; returns how many mails. Done right after an erasure, and by the
 * schedule for whatever was left: by a crash, or because another worker has the files.
 */
export async function forgetErasedMails({ db, mailFolder, now }: KeptMailParts): Promise<number> {
  if (mailFolder === null) return 0;
  const { pool } = db.writer;
  const { rows } = await pool.query<{ id: string; updatedAt: Date }>({
    name: 'mails_to_forget',
    text: `SELECT id, updated_at AS "updatedAt" FROM deliveries WHERE file IS NOT NULL AND recipient IS NULL ORDER BY id LIMIT ${AT_ONCE}`,
  });
  const done: string[] = [];
  let forgotten = 0;
  for (const { id, updatedAt } of rows) {
    const wasHere = await forgetKeptMail(mailFolder, id);
    if (wasHere) forgotten++;
    if (wasHere || now.getTime() - updatedAt.getTime() >= SOUGHT_MS) done.push(id);
  }
  const text =
    'UPDATE deliveries SET file = NULL WHERE id = ANY($1::uuid[]) AND file IS NOT NULL AND recipient IS NULL';
  if (done.length > 0) await pool.query({ name: 'mails_forgotten', text, values: [done] });
  return forgotten;
}
