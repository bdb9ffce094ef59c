-- Keys and devices of erased customers: what a transaction was told about the person before the erasure, and writes after it, is
-- sent back as a lost conflict, as `refuse_erased_customer` does for other tables. Bare keys and devices may still be added.
CREATE FUNCTION refuse_words_about_erased_customer() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  is_erased boolean;
BEGIN
  SELECT bool_or(c.erased_at IS NOT NULL) INTO is_erased FROM (
    SELECT erased_at FROM customers WHERE (business_id, mode, id) IN (
      SELECT n.business_id, n.mode, n.customer_id FROM new_rows n
       WHERE n.metadata <> '{}' OR to_jsonb(n) ->> 'name' IS NOT NULL) FOR KEY SHARE) c;
  IF is_erased THEN
    RAISE EXCEPTION 'the customer of a row in % was erased meanwhile', TG_TABLE_NAME USING ERRCODE = 'serialization_failure';
  END IF;
  RETURN NULL;
END $$;
CREATE TRIGGER activations_of_erased AFTER INSERT ON activations
  REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION refuse_words_about_erased_customer();
CREATE TRIGGER license_keys_of_erased AFTER INSERT ON license_keys
  REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION refuse_words_about_erased_customer();
