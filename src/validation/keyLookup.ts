/**
 * Which keys the texts are that are asked about, as a subquery over `asked (n, mode, key_hmac)`: each text with the value that
 * it has under each secret, in both modes. Gives `n`, `mode`, `is_hit`, `license_key_id` (null: the text waits in a pool), and of
 * a text that another one took the place of since when (`replaced_at`) and until when it works (`replaced_until`). In the place
 * of a text that is not there it gives the key with the next value, so that both take the same reading.
 * @param businessId the placeholder of the business
 */
export function keyLookup(businessId: string): string {
  // While secrets are rotated a text has a value under each, so that it may be found twice.
  return `SELECT DISTINCT ON (a.n, a.mode) a.n, a.mode, t.key_hmac = a.key_hmac AS is_hit, t.license_key_id,
      r.created_at AS replaced_at, r.grace_until AS replaced_until
    FROM asked a
    CROSS JOIN LATERAL (SELECT l.* FROM license_key_lookups l WHERE l.business_id = ${businessId} AND l.mode = a.mode
      AND l.key_hmac >= a.key_hmac ORDER BY l.key_hmac LIMIT 1) t
    LEFT JOIN license_key_rotations r ON r.business_id = t.business_id AND r.mode = t.mode AND r.id = t.rotation_id
    ORDER BY a.n, a.mode, is_hit DESC`;
}
