-- Rows of erased customers, looked at one by one, and only those that say something about the person: whoever writes none of
-- those, such as a purchase, pays nothing for it. What was two functions over all rows of a statement is one over a row.

DROP TRIGGER customer_sessions_of_erased ON customer_sessions;
DROP TRIGGER deliveries_to_erased ON deliveries;
DROP TRIGGER grants_of_erased ON grants;
DROP TRIGGER licenses_of_erased ON licenses;
DROP TRIGGER activations_of_erased ON activations;
DROP TRIGGER license_keys_of_erased ON license_keys;
DROP TRIGGER login_tokens_of_erased ON login_tokens;
DROP TRIGGER product_keys_of_erased ON product_keys;
DROP FUNCTION refuse_erased_customer();
DROP FUNCTION refuse_words_about_erased_customer();

CREATE FUNCTION refuse_erased_customer() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  erased timestamptz;
BEGIN
  -- The lock makes it wait for an erasure that runs; only then is it read whether there was one.
  SELECT c.erased_at INTO erased FROM customers c
   WHERE c.business_id = NEW.business_id AND c.mode = NEW.mode AND c.id = NEW.customer_id FOR KEY SHARE;
  IF erased IS NOT NULL THEN
    RAISE EXCEPTION 'the customer of a row in % was erased meanwhile', TG_TABLE_NAME USING ERRCODE = 'serialization_failure';
  END IF;
  RETURN NULL;
END $$;

CREATE TRIGGER customer_sessions_of_erased AFTER INSERT ON customer_sessions
  FOR EACH ROW EXECUTE FUNCTION refuse_erased_customer();
CREATE TRIGGER login_tokens_of_erased AFTER INSERT ON login_tokens
  FOR EACH ROW EXECUTE FUNCTION refuse_erased_customer();
CREATE TRIGGER product_keys_of_erased AFTER INSERT ON product_keys
  FOR EACH ROW EXECUTE FUNCTION refuse_erased_customer();
CREATE TRIGGER deliveries_to_erased AFTER INSERT ON deliveries FOR EACH ROW
  WHEN (NEW.recipient IS NOT NULL) EXECUTE FUNCTION refuse_erased_customer();
CREATE TRIGGER grants_of_erased AFTER INSERT ON grants FOR EACH ROW
  WHEN (NEW.metadata <> '{}') EXECUTE FUNCTION refuse_erased_customer();
CREATE TRIGGER licenses_of_erased AFTER INSERT ON licenses FOR EACH ROW
  WHEN (NEW.metadata <> '{}' OR NEW.tags <> '{}' OR num_nonnulls(NEW.assigned_to_id, NEW.details, NEW.description) > 0)
  EXECUTE FUNCTION refuse_erased_customer();
CREATE TRIGGER license_keys_of_erased AFTER INSERT ON license_keys FOR EACH ROW
  WHEN (NEW.metadata <> '{}') EXECUTE FUNCTION refuse_erased_customer();
CREATE TRIGGER activations_of_erased AFTER INSERT ON activations FOR EACH ROW
  WHEN (NEW.metadata <> '{}' OR NEW.name IS NOT NULL) EXECUTE FUNCTION refuse_erased_customer();
