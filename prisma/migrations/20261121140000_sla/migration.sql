-- SLA definitions with their versions, which product keys they hold for, breaches, and what those give back.

ALTER TYPE "ledger_transaction_kind" ADD VALUE 'SLA_CREDIT';

CREATE TYPE "sla_metric" AS ENUM ('AVAILABILITY', 'RESPONSE_TIME', 'SUPPORT_HOURS');

CREATE TABLE "sla_definitions" (
    "business_id" UUID NOT NULL,
    "mode" "mode" NOT NULL,
    "id" UUID NOT NULL,
    "name" TEXT NOT NULL,
    "description" TEXT,
    "current_version_id" UUID NOT NULL,
    "metadata" JSONB NOT NULL,
    "archived_at" TIMESTAMPTZ(3),
    "version" INTEGER NOT NULL DEFAULT 1,
    "created_at" TIMESTAMPTZ(3) NOT NULL,
    "updated_at" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "sla_definitions_pkey" PRIMARY KEY ("business_id","mode","id")
);

CREATE TABLE "sla_definition_versions" (
    "business_id" UUID NOT NULL,
    "mode" "mode" NOT NULL,
    "id" UUID NOT NULL,
    "sla_definition_id" UUID NOT NULL,
    "number" INTEGER NOT NULL,
    "name" TEXT NOT NULL,
    "description" TEXT,
    "availability_target" INTEGER,
    "response_percentile" INTEGER,
    "response_threshold_ms" INTEGER,
    "support_response_minutes" INTEGER,
    "support_time_zone" TEXT,
    "support_days" TEXT[],
    "support_from" INTEGER,
    "support_until" INTEGER,
    "penalties" JSONB NOT NULL,
    "created_at" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "sla_definition_versions_pkey" PRIMARY KEY ("business_id","mode","id")
);

CREATE TABLE "product_key_slas" (
    "business_id" UUID NOT NULL,
    "mode" "mode" NOT NULL,
    "id" UUID NOT NULL,
    "product_key_id" UUID NOT NULL,
    "sla_definition_id" UUID NOT NULL,
    "sla_definition_version_id" UUID NOT NULL,
    "attached_at" TIMESTAMPTZ(3) NOT NULL,
    "detached_at" TIMESTAMPTZ(3),

    CONSTRAINT "product_key_slas_pkey" PRIMARY KEY ("business_id","mode","id")
);

CREATE TABLE "sla_breaches" (
    "business_id" UUID NOT NULL,
    "mode" "mode" NOT NULL,
    "id" UUID NOT NULL,
    "product_key_id" UUID NOT NULL,
    "customer_id" UUID NOT NULL,
    "sla_definition_id" UUID NOT NULL,
    "sla_definition_version_id" UUID NOT NULL,
    "metric" "sla_metric" NOT NULL,
    "measured" BIGINT NOT NULL,
    "starts_at" TIMESTAMPTZ(3) NOT NULL,
    "ends_at" TIMESTAMPTZ(3) NOT NULL,
    "penalty_index" INTEGER,
    "note" TEXT,
    "external_id" TEXT,
    "version" INTEGER NOT NULL DEFAULT 1,
    "created_at" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "sla_breaches_pkey" PRIMARY KEY ("business_id","mode","id")
);

CREATE TABLE "sla_breach_credits" (
    "business_id" UUID NOT NULL,
    "mode" "mode" NOT NULL,
    "sla_breach_id" UUID NOT NULL,
    "payment_id" UUID NOT NULL,
    "amount_minor" BIGINT NOT NULL,
    "currency" TEXT NOT NULL,
    "ledger_entry_id" UUID NOT NULL,
    "created_at" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "sla_breach_credits_pkey" PRIMARY KEY ("business_id","mode","sla_breach_id","payment_id")
);
CREATE INDEX "sla_definitions_business_id_mode_created_at_id_idx" ON "sla_definitions"("business_id", "mode", "created_at", "id");
CREATE INDEX "sla_definitions_business_id_mode_name_id_idx" ON "sla_definitions"("business_id", "mode", "name", "id");
CREATE UNIQUE INDEX "sla_definition_versions_business_id_mode_sla_definition_id__key" ON "sla_definition_versions"("business_id", "mode", "sla_definition_id", "number");
CREATE INDEX "product_key_slas_business_id_mode_product_key_id_attached_a_idx" ON "product_key_slas"("business_id", "mode", "product_key_id", "attached_at", "id");
CREATE INDEX "sla_breaches_business_id_mode_product_key_id_starts_at_id_idx" ON "sla_breaches"("business_id", "mode", "product_key_id", "starts_at", "id");
CREATE INDEX "sla_breaches_business_id_mode_customer_id_idx" ON "sla_breaches"("business_id", "mode", "customer_id");
CREATE UNIQUE INDEX "sla_breaches_business_id_mode_product_key_id_external_id_key" ON "sla_breaches"("business_id", "mode", "product_key_id", "external_id");
CREATE INDEX "sla_breach_credits_business_id_mode_payment_id_idx" ON "sla_breach_credits"("business_id", "mode", "payment_id");
CREATE INDEX "sla_breach_credits_business_id_mode_ledger_entry_id_idx" ON "sla_breach_credits"("business_id", "mode", "ledger_entry_id");

-- From here on: what the Prisma schema cannot say.

ALTER TABLE sla_definitions
  ADD FOREIGN KEY (business_id) REFERENCES businesses (id),
  ADD FOREIGN KEY (business_id, mode, current_version_id) REFERENCES sla_definition_versions (business_id, mode, id)
    DEFERRABLE INITIALLY DEFERRED;
CREATE INDEX sla_definitions_search ON sla_definitions USING gin (business_id, mode, lower(name || ' ' || coalesce(description, '')) gin_trgm_ops);
CREATE INDEX sla_definitions_metadata ON sla_definitions USING gin (business_id, mode, metadata jsonb_path_ops);

ALTER TABLE sla_definition_versions
  ADD FOREIGN KEY (business_id, mode, sla_definition_id) REFERENCES sla_definitions (business_id, mode, id),
  ADD CONSTRAINT sla_definition_versions_of UNIQUE (business_id, mode, sla_definition_id, id),
  ADD CONSTRAINT sla_definition_versions_number CHECK (number >= 1),
  ADD CONSTRAINT sla_definition_versions_promise CHECK (num_nonnulls(availability_target, response_threshold_ms, support_response_minutes) > 0),
  ADD CONSTRAINT sla_definition_versions_availability CHECK (availability_target BETWEEN 1 AND 100000),
  ADD CONSTRAINT sla_definition_versions_response CHECK (num_nonnulls(response_percentile, response_threshold_ms) <> 1
    AND response_percentile BETWEEN 1 AND 100000 AND response_threshold_ms >= 1),
  ADD CONSTRAINT sla_definition_versions_support CHECK (support_response_minutes >= 1
    AND num_nonnulls(support_time_zone, support_from, support_until) IN (0, 3)
    AND (support_time_zone IS NULL) = (cardinality(support_days) = 0)
    AND support_days <@ ARRAY['MONDAY', 'TUESDAY', 'WEDNESDAY', 'THURSDAY', 'FRIDAY', 'SATURDAY', 'SUNDAY']
    AND (support_time_zone IS NULL OR support_response_minutes IS NOT NULL)
    AND support_from BETWEEN 0 AND 1439 AND support_until BETWEEN 1 AND 1440 AND support_until > support_from);
CREATE TRIGGER sla_definition_versions_append_only BEFORE UPDATE OR DELETE ON sla_definition_versions
  FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER sla_definition_versions_no_truncate BEFORE TRUNCATE ON sla_definition_versions
  FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

-- Deferred, so that what a new key gets is noted before its row is written. One version of a definition at a time.
ALTER TABLE product_key_slas
  ADD FOREIGN KEY (business_id, mode, product_key_id) REFERENCES product_keys (business_id, mode, id) DEFERRABLE INITIALLY DEFERRED,
  ADD FOREIGN KEY (business_id, mode, sla_definition_id, sla_definition_version_id)
    REFERENCES sla_definition_versions (business_id, mode, sla_definition_id, id),
  ADD CONSTRAINT product_key_slas_window CHECK (detached_at >= attached_at),
  ADD CONSTRAINT product_key_slas_one_version EXCLUDE USING gist (
    business_id WITH =, mode WITH =, product_key_id WITH =, sla_definition_id WITH =, tstzrange(attached_at, detached_at, '[)') WITH &&
  );

-- A figure of availability or response time is one for its time; of support answers, many may be late at once, each told by its
-- external id.
ALTER TABLE sla_breaches
  ADD FOREIGN KEY (business_id, mode, product_key_id) REFERENCES product_keys (business_id, mode, id),
  ADD FOREIGN KEY (business_id, mode, customer_id) REFERENCES customers (business_id, mode, id),
  ADD FOREIGN KEY (business_id, mode, sla_definition_id, sla_definition_version_id)
    REFERENCES sla_definition_versions (business_id, mode, sla_definition_id, id),
  ADD CONSTRAINT sla_breaches_window CHECK (ends_at > starts_at),
  ADD CONSTRAINT sla_breaches_measured CHECK (measured >= 0),
  ADD CONSTRAINT sla_breaches_overlap EXCLUDE USING gist (
    business_id WITH =, mode WITH =, product_key_id WITH =, sla_definition_id WITH =, metric WITH =,
    tstzrange(starts_at, ends_at, '[)') WITH &&
  ) WHERE (metric <> 'SUPPORT_HOURS');

ALTER TABLE sla_breach_credits
  ADD FOREIGN KEY (business_id, mode, sla_breach_id) REFERENCES sla_breaches (business_id, mode, id),
  ADD FOREIGN KEY (business_id, mode, payment_id) REFERENCES product_key_payments (business_id, mode, id),
  ADD FOREIGN KEY (business_id, mode, ledger_entry_id) REFERENCES ledger_transfers (business_id, mode, id),
  ADD CONSTRAINT sla_breach_credits_amount CHECK (amount_minor > 0);
CREATE TRIGGER sla_breach_credits_append_only BEFORE UPDATE OR DELETE ON sla_breach_credits
  FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER sla_breach_credits_no_truncate BEFORE TRUNCATE ON sla_breach_credits
  FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
