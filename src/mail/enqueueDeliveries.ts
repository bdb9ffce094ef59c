import type pg from 'pg';
import type { Mode } from '../kernel/viewer.js';
import { QUEUE_ATTEMPTS } from './attempts.js';

/** What a job to send a mail carries: ids only, so that neither persons nor keys stand in the queue. */
export interface SendDeliveryPayload {
  readonly businessId: string;
  readonly mode: Mode;
  readonly deliveryId: string;
}

/**
 * Makes jobs of the oldest queued deliveries that have none yet, all in one call of the queue. Only the relay may call this,
 * inside its transaction: a delivery is enqueued exactly when its job is there.
 * @returns how many
 */
export async function enqueueDeliveries(client: pg.ClientBase, limit: number, now: Date): Promise<number> {
  const { rows } = await client.query<SendDeliveryPayload>({
    name: 'claim_deliveries',
    text: `UPDATE deliveries d SET enqueued_at = $2 FROM (
        SELECT business_id, mode, id FROM deliveries WHERE enqueued_at IS NULL AND status = 'QUEUED'
          ORDER BY created_at LIMIT $1 FOR UPDATE) oldest
      WHERE d.business_id = oldest.business_id AND d.mode = oldest.mode AND d.id = oldest.id
      RETURNING d.business_id AS "businessId", d.mode, d.id AS "deliveryId"`,
    values: [limit, now],
  });
  if (rows.length === 0) return 0;
  const jobs = rows.map((payload) => ({
    identifier: 'sendDelivery',
    payload,
    job_key: `delivery:${payload.deliveryId}`,
    max_attempts: QUEUE_ATTEMPTS,
  }));
  await client.query({
    name: 'add_delivery_jobs',
    text: `SELECT count(*) FROM graphile_worker.add_jobs(
      ARRAY(SELECT json_populate_recordset(NULL::graphile_worker.job_spec, $1)))`,
    values: [JSON.stringify(jobs)],
  });
  return rows.length;
}
