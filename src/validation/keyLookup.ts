/**
 * Which keys the texts are that are asked about, as a subquery over `asked (n, mode, key_hmac)`: each text with the value that
 * it has under each secret, in both modes. Gives `n`, `mode`, `license_key_id` (null: the text waits in a pool) and
 * `replaced_until` (null: the key's present text).
 * @param businessId the placeholder of the business
 */
export function keyLookup(businessId: string): string {
  const of = (column: string) => `SELECT a.n, k.mode, k.id AS license_key_id, NULL::timestamptz AS replaced_until
    FROM asked a JOIN license_keys k ON k.business_id = ${businessId} AND k.mode = a.mode AND k.${column} = a.key_hmac`;
  // While secrets are rotated a key has two values, and both are looked at.
  return `${of('key_hmac')} UNION ${of('key_hmac_next')}`;
}
