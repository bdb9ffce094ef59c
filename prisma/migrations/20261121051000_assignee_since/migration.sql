-- A license counts for its assignee's offering since it has that offering: not in the time in which it had another one. A change
-- that finds the offering free from its instant on must not be refused, or never be carried out, for what ended before.

ALTER TABLE licenses
  DROP CONSTRAINT licenses_assignee_taken,
  ADD CONSTRAINT licenses_assignee_taken EXCLUDE USING gist (
    business_id WITH =, mode WITH =, product_offering_id WITH =, assigned_to_type WITH =, assigned_to_id WITH =,
    (occupies * tstzrange(offering_since, NULL, '[)')) WITH &&
  ) WHERE (assigned_to_id IS NOT NULL AND product_offering_id IS NOT NULL);
