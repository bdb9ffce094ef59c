-- Scheduled changes. A scheduled activation occupies the time from its instant on as soon as it is scheduled, so that it cannot
-- collide when it comes true: what occupies says is otherwise as before. A generated column's rule is changed by making it anew.

ALTER TABLE license_key_bindings DROP CONSTRAINT license_key_bindings_business_id_mode_license_id_occupies_fkey;
ALTER TABLE licenses
  DROP CONSTRAINT licenses_assignee_taken,
  DROP CONSTRAINT licenses_occupies_key,
  DROP COLUMN occupies;
ALTER TABLE licenses
  ADD COLUMN occupies tstzrange GENERATED ALWAYS AS (
    CASE WHEN status = 'CANCELLED' THEN 'empty'::tstzrange
         WHEN status = 'PENDING' AND pending_status = 'ACTIVE' THEN tstzrange(least(valid_from, pending_status_at), valid_until, '[)')
         WHEN valid_until IS NULL AND pending_status IS DISTINCT FROM 'CANCELLED' THEN tstzrange(valid_from, NULL, '[)')
         ELSE tstzrange(valid_from, greatest(valid_from, least(valid_until, CASE WHEN pending_status = 'CANCELLED' THEN pending_status_at END)), '[)')
    END) STORED,
  ADD CONSTRAINT licenses_occupies_key UNIQUE (business_id, mode, id, occupies),
  ADD CONSTRAINT licenses_assignee_taken EXCLUDE USING gist (
    business_id WITH =, mode WITH =, product_offering_id WITH =, assigned_to_type WITH =, assigned_to_id WITH =, occupies WITH &&
  ) WHERE (assigned_to_id IS NOT NULL AND product_offering_id IS NOT NULL);
ALTER TABLE license_key_bindings
  ADD CONSTRAINT license_key_bindings_license_fkey FOREIGN KEY (business_id, mode, license_id, occupies)
    REFERENCES licenses (business_id, mode, id, occupies) ON UPDATE CASCADE;

-- A key that is bound while its license's time changes waits for that change, and repeats what the license occupies then.

CREATE OR REPLACE FUNCTION license_key_binding_occupies() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  SELECT l.occupies INTO NEW.occupies FROM licenses l
    WHERE l.business_id = NEW.business_id AND l.mode = NEW.mode AND l.id = NEW.license_id FOR KEY SHARE;
  RETURN NEW;
END $$;

-- The fulfillment desk's queue: also what was taken back for a while, which may have come back without being written yet.

DROP INDEX grants_pending, grants_pending_due;
CREATE INDEX grants_pending ON grants (business_id, mode, created_at, id)
  WHERE status = 'PENDING' OR (status_before_revocation = 'PENDING' AND revocation_causes <> '{}');
CREATE INDEX grants_pending_due ON grants (business_id, mode, (coalesce(due_at, 'infinity'::timestamptz)), id)
  WHERE status = 'PENDING' OR (status_before_revocation = 'PENDING' AND revocation_causes <> '{}');

-- Whose renewal a license is.

CREATE INDEX licenses_renewal ON licenses (business_id, mode, renewal_id) WHERE renewal_id IS NOT NULL;
