-- What a license needs for its whole life: a scheduled change of offering, its use, its renewal, its recorded end.

ALTER TABLE "licenses"
  ADD COLUMN "pending_offering_id" UUID,
  ADD COLUMN "pending_offering_at" TIMESTAMPTZ(3),
  ADD COLUMN "offering_since" TIMESTAMPTZ(3),
  ADD COLUMN "used_at" TIMESTAMPTZ(3),
  ADD COLUMN "used_by_id" UUID,
  ADD COLUMN "renewal_id" UUID,
  ADD COLUMN "expired_at" TIMESTAMPTZ(3);

ALTER TABLE licenses
  ADD CONSTRAINT licenses_pending_offering CHECK (num_nonnulls(pending_offering_id, pending_offering_at) <> 1),
  ADD CONSTRAINT licenses_used CHECK (num_nonnulls(used_at, used_by_id) <> 1),
  ADD CONSTRAINT licenses_renewal CHECK (renewal_id <> id),
  ADD CONSTRAINT licenses_expired CHECK (expired_at = valid_until),
  ADD FOREIGN KEY (business_id, pending_offering_id) REFERENCES product_offerings (business_id, id),
  ADD FOREIGN KEY (business_id, mode, used_by_id) REFERENCES customers (business_id, mode, id),
  ADD FOREIGN KEY (business_id, mode, renewal_id) REFERENCES licenses (business_id, mode, id);
CREATE INDEX licenses_offering_due ON licenses (pending_offering_at) WHERE pending_offering_id IS NOT NULL;
CREATE INDEX licenses_ending ON licenses (valid_until) WHERE expired_at IS NULL AND valid_until IS NOT NULL AND status <> 'CANCELLED';
