import type { LicenseStatus } from '../generated/prisma/client.js';
import type { Condition } from '../kernel/condition.js';

/**
 * The licenses whose effective status is any of these: the same rule as `effectiveStatus`, told apart so that indexes can serve
 * each part. Nearly all stand in the first, by the stored status; what is due and not yet written is little, and has partial
 * indexes of its own.
 */
export function effectiveStatusIn(statuses: readonly LicenseStatus[], now: Date): Condition {
  return (place) => {
    const [wanted, instant] = [`${place(statuses)}::license_status[]`, `${place(now)}::timestamptz`];
    const [only, ...others] = statuses;
    const stored =
      only && others.length === 0 ? `t.status = ${place(only)}::license_status` : `t.status = ANY(${wanted})`;
    const starts = `t.status = 'PENDING' AND t.valid_from <= ${instant}`;
    const isDue = `(t.pending_status IS NOT NULL AND t.pending_status_at <= ${instant})`;
    const asStored = `(${stored} AND NOT coalesce(t.pending_status_at <= ${instant}, false) AND NOT (${starts}))`;
    const asScheduled = `(${isDue} AND t.pending_status = ANY(${wanted}))`;
    const asStarted = `(${starts} AND NOT coalesce(t.pending_status_at <= ${instant}, false))`;
    return `(${[asStored, asScheduled, ...(statuses.includes('ACTIVE') ? [asStarted] : [])].join(' OR ')})`;
  };
}
