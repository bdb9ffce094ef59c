-- Organizations, customers that belong to them and customers that were erased; and the indexes of the lists.

CREATE TABLE "organizations" (
    "business_id" UUID NOT NULL,
    "mode" "mode" NOT NULL,
    "id" UUID NOT NULL,
    "name" TEXT NOT NULL,
    "external_id" TEXT,
    "description" TEXT,
    "vat_number" TEXT,
    "country_code" TEXT,
    "metadata" JSONB NOT NULL,
    "archived_at" TIMESTAMPTZ(3),
    "version" INTEGER NOT NULL DEFAULT 1,
    "created_at" TIMESTAMPTZ(3) NOT NULL,
    "updated_at" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "organizations_pkey" PRIMARY KEY ("business_id","mode","id")
);

CREATE UNIQUE INDEX "organizations_business_id_mode_external_id_key" ON "organizations"("business_id", "mode", "external_id");

CREATE INDEX "organizations_business_id_mode_created_at_id_idx" ON "organizations"("business_id", "mode", "created_at", "id");

ALTER TABLE "customers"
  ADD COLUMN "organization_id" UUID,
  ADD COLUMN "erased_at" TIMESTAMPTZ(3);

CREATE INDEX "customers_business_id_mode_organization_id_created_at_id_idx" ON "customers"("business_id", "mode", "organization_id", "created_at", "id");

ALTER TABLE "changes" ADD COLUMN "erased_at" TIMESTAMPTZ(3);

CREATE INDEX "licenses_business_id_mode_type_created_at_id_idx" ON "licenses"("business_id", "mode", "type", "created_at", "id");

CREATE INDEX "licenses_business_id_mode_status_created_at_id_idx" ON "licenses"("business_id", "mode", "status", "created_at", "id");

-- ---------------------------------------------------------------------------------------------------------------------
-- From here on: what the Prisma schema cannot say.
-- ---------------------------------------------------------------------------------------------------------------------

-- Organizations.

ALTER TABLE organizations ADD FOREIGN KEY (business_id) REFERENCES businesses (id);
ALTER TABLE organizations ADD COLUMN sort_name text GENERATED ALWAYS AS (lower(name)) STORED;
CREATE INDEX organizations_sort_name ON organizations (business_id, mode, sort_name, id);
CREATE INDEX organizations_search ON organizations USING gin (business_id, mode, lower(name || ' ' || coalesce(external_id, '')) gin_trgm_ops);
CREATE INDEX organizations_metadata ON organizations USING gin (business_id, mode, metadata jsonb_path_ops);
ALTER TABLE customers ADD FOREIGN KEY (business_id, mode, organization_id) REFERENCES organizations (business_id, mode, id);

-- Erased customers. Nothing about the person may be left, and nothing may come back.

ALTER TABLE customers ADD CONSTRAINT customers_erased CHECK (erased_at IS NULL
  OR (num_nonnulls(code, external_id, first_name, last_name, company_name, email, country_code, locale, organization_id) = 0
    AND NOT is_email_verified AND metadata = '{}'));
CREATE FUNCTION refuse_unerasing() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION 'an erased customer stays erased' USING ERRCODE = 'restrict_violation';
END $$;
CREATE TRIGGER customers_stay_erased BEFORE UPDATE ON customers FOR EACH ROW
  WHEN (OLD.erased_at IS NOT NULL AND NEW.erased_at IS DISTINCT FROM OLD.erased_at) EXECUTE FUNCTION refuse_unerasing();

-- A transaction that read a customer before its erasure must not write down afterwards what it read or was told: it is sent
-- back as a lost conflict, starts again, and sees the customer erased. The lock makes it wait for an erasure that runs.
CREATE FUNCTION refuse_erased_customer() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  is_erased boolean;
BEGIN
  IF TG_TABLE_NAME = 'deliveries' THEN
    SELECT bool_or(c.erased_at IS NOT NULL) INTO is_erased FROM (
      SELECT erased_at FROM customers WHERE (business_id, mode, id) IN (
        SELECT n.business_id, n.mode, n.customer_id FROM new_rows n WHERE n.recipient IS NOT NULL) FOR KEY SHARE) c;
  ELSIF TG_TABLE_NAME = 'grants' THEN
    SELECT bool_or(c.erased_at IS NOT NULL) INTO is_erased FROM (
      SELECT erased_at FROM customers WHERE (business_id, mode, id) IN (
        SELECT n.business_id, n.mode, n.customer_id FROM new_rows n WHERE n.metadata <> '{}') FOR KEY SHARE) c;
  ELSIF TG_TABLE_NAME = 'licenses' THEN
    SELECT bool_or(c.erased_at IS NOT NULL) INTO is_erased FROM (
      SELECT erased_at FROM customers WHERE (business_id, mode, id) IN (
        SELECT n.business_id, n.mode, n.customer_id FROM new_rows n
         WHERE n.metadata <> '{}' OR n.tags <> '{}' OR num_nonnulls(n.assigned_to_id, n.details, n.description) > 0) FOR KEY SHARE) c;
  ELSE
    SELECT bool_or(c.erased_at IS NOT NULL) INTO is_erased FROM (
      SELECT erased_at FROM customers WHERE (business_id, mode, id) IN (
        SELECT n.business_id, n.mode, n.customer_id FROM new_rows n) FOR KEY SHARE) c;
  END IF;
  IF is_erased THEN
    RAISE EXCEPTION 'the customer of a row in % was erased meanwhile', TG_TABLE_NAME USING ERRCODE = 'serialization_failure';
  END IF;
  RETURN NULL;
END $$;
CREATE TRIGGER customer_sessions_of_erased AFTER INSERT ON customer_sessions
  REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION refuse_erased_customer();
CREATE TRIGGER deliveries_to_erased AFTER INSERT ON deliveries
  REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION refuse_erased_customer();
CREATE TRIGGER grants_of_erased AFTER INSERT ON grants
  REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION refuse_erased_customer();
CREATE TRIGGER licenses_of_erased AFTER INSERT ON licenses
  REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION refuse_erased_customer();

-- Kept mails to erased customers, until their files are gone.
CREATE INDEX deliveries_to_forget ON deliveries (id) WHERE file IS NOT NULL AND recipient IS NULL;
-- A caller's key may be made of a name or an address: it is kept as SHA-256, which finds it as well.
UPDATE idempotency_records SET key = encode(sha256(convert_to(key, 'UTF8')), 'hex');
CREATE INDEX idempotency_records_customer ON idempotency_records ((result ->> 'customerId')) WHERE result ? 'customerId';

-- Lists of licenses. By the end of the window, permanent ones last; the assignee's id alone is asked for, so it comes first.

CREATE INDEX licenses_valid_until ON licenses (business_id, mode, (coalesce(valid_until, 'infinity'::timestamptz)), id);
-- What has started of a business's pending licenses and is not written yet: few, however many wait.
CREATE INDEX licenses_starting_of_business ON licenses (business_id, mode, valid_from) WHERE status = 'PENDING';
CREATE INDEX licenses_tags ON licenses USING gin (business_id, mode, tags);
DROP INDEX licenses_assignee;
CREATE INDEX licenses_assignee ON licenses (business_id, mode, assigned_to_id, assigned_to_type) WHERE assigned_to_id IS NOT NULL;
