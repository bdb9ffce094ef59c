-- Who had a product key before it was transferred: for that person's erasure.
CREATE INDEX changes_of_transfers ON changes (business_id, mode, (before ->> 'customerId')) WHERE type = 'product_key.transferred';
CREATE INDEX applications_metadata ON applications USING gin (business_id, mode, metadata jsonb_path_ops);
