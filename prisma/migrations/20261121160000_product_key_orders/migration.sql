-- Rare states in the order of start and expiration: without these a page of them reads along all keys.
CREATE INDEX "product_keys_business_id_mode_status_starts_at_id_idx" ON "product_keys"("business_id", "mode", "status", "starts_at", "id");
CREATE INDEX product_keys_status_expires_at ON product_keys (business_id, mode, status, (coalesce(expires_at, 'infinity'::timestamptz)), id);
