/**
 * Which keys the texts are that are asked about, as a subquery over `asked (n, mode, key_hmac)`: each text with the value that
 * it has under each secret, in both modes. Gives `n`, `mode`, `license_key_id` (null: the text waits in a pool), and of a text
 * that another one took the place of since when (`replaced_at`) and until when it works (`replaced_until`).
 * @param businessId the placeholder of the business
 */
export function keyLookup(businessId: string): string {
  // While secrets are rotated a text has a value under each, so that it may be found twice.
  return `SELECT DISTINCT a.n, a.mode, t.license_key_id, r.created_at AS replaced_at, r.grace_until AS replaced_until FROM asked a
    JOIN license_key_lookups t ON t.business_id = ${businessId} AND t.mode = a.mode AND t.key_hmac = a.key_hmac
    LEFT JOIN license_key_rotations r ON r.business_id = t.business_id AND r.mode = t.mode AND r.id = t.rotation_id`;
}
