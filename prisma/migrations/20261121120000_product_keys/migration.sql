-- Product keys: subscriptions to products, with their meters, texts, addresses, applications and payments.

CREATE TYPE "product_audience" AS ENUM ('ANYONE', 'NAMED');

CREATE TYPE "quota_period" AS ENUM ('DAY', 'WEEK', 'MONTH', 'YEAR');

CREATE TYPE "quota_anchor" AS ENUM ('ANNIVERSARY', 'CALENDAR');

CREATE TYPE "over_quota" AS ENUM ('BLOCK', 'METER');

CREATE TYPE "product_key_status" AS ENUM ('SCHEDULED', 'TRIALING', 'ACTIVE', 'DISABLED', 'CANCELLED', 'EXPIRED');

CREATE TYPE "product_key_disabling" AS ENUM ('MANUAL', 'PAYMENT');

CREATE TYPE "product_key_address_use" AS ENUM ('CONSUMER', 'CREATION_NOTICE', 'QUOTA_NOTICE');

CREATE TYPE "payment_result" AS ENUM ('SUCCEEDED', 'FAILED');

ALTER TABLE "products" ADD COLUMN "audience" "product_audience" NOT NULL DEFAULT 'ANYONE',
ADD COLUMN "over_quota" "over_quota" NOT NULL DEFAULT 'BLOCK',
ADD COLUMN "published" BOOLEAN NOT NULL DEFAULT true,
ADD COLUMN "quota_anchor" "quota_anchor" NOT NULL DEFAULT 'ANNIVERSARY',
ADD COLUMN "quota_period" "quota_period",
ADD COLUMN "trial_days" INTEGER NOT NULL DEFAULT 0;

ALTER TABLE "deliveries" ADD COLUMN "product_key_id" UUID;

CREATE TABLE "applications" (
    "business_id" UUID NOT NULL,
    "mode" "mode" NOT NULL,
    "id" UUID NOT NULL,
    "name" TEXT NOT NULL,
    "external_id" TEXT,
    "description" TEXT,
    "metadata" JSONB NOT NULL,
    "archived_at" TIMESTAMPTZ(3),
    "version" INTEGER NOT NULL DEFAULT 1,
    "created_at" TIMESTAMPTZ(3) NOT NULL,
    "updated_at" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "applications_pkey" PRIMARY KEY ("business_id","mode","id")
);

CREATE TABLE "product_keys" (
    "business_id" UUID NOT NULL,
    "mode" "mode" NOT NULL,
    "id" UUID NOT NULL,
    "number" TEXT NOT NULL,
    "status" "product_key_status" NOT NULL,
    "customer_id" UUID NOT NULL,
    "provider_organization_id" UUID,
    "organization_id" UUID,
    "description" TEXT NOT NULL,
    "key_ciphertext" BYTEA NOT NULL,
    "last4" TEXT NOT NULL,
    "starts_at" TIMESTAMPTZ(3) NOT NULL,
    "trial_ends_at" TIMESTAMPTZ(3),
    "trial_notice_at" TIMESTAMPTZ(3),
    "trial_notified_at" TIMESTAMPTZ(3),
    "expires_at" TIMESTAMPTZ(3),
    "expired_at" TIMESTAMPTZ(3),
    "disabled_at" TIMESTAMPTZ(3),
    "disabled_by" "product_key_disabling",
    "disabled_reason" TEXT,
    "cancel_at" TIMESTAMPTZ(3),
    "cancelled_at" TIMESTAMPTZ(3),
    "external_quote_id" TEXT,
    "application_external_id" TEXT,
    "data_provider_configuration_id" TEXT,
    "notify_creator_on_creation" BOOLEAN NOT NULL,
    "notify_owner_on_quota_threshold" BOOLEAN NOT NULL,
    "notify_on_trial_expiry" BOOLEAN NOT NULL,
    "disable_on_payment_failed" BOOLEAN NOT NULL,
    "allow_mid_period_cancellation" BOOLEAN NOT NULL,
    "tags" TEXT[],
    "metadata" JSONB NOT NULL,
    "version" INTEGER NOT NULL DEFAULT 1,
    "created_at" TIMESTAMPTZ(3) NOT NULL,
    "updated_at" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "product_keys_pkey" PRIMARY KEY ("business_id","mode","id")
);

CREATE TABLE "product_key_meters" (
    "business_id" UUID NOT NULL,
    "mode" "mode" NOT NULL,
    "id" UUID NOT NULL,
    "quota" BIGINT,
    "over_quota" "over_quota" NOT NULL,
    "consumed" BIGINT NOT NULL,
    "quota_period" "quota_period",
    "quota_anchor" "quota_anchor" NOT NULL,
    "period_starts_at" TIMESTAMPTZ(3) NOT NULL,
    "period_ends_at" TIMESTAMPTZ(3),
    "threshold" INTEGER,
    "threshold_notified_period" TIMESTAMPTZ(3),

    CONSTRAINT "product_key_meters_pkey" PRIMARY KEY ("business_id","mode","id")
);

CREATE TABLE "product_key_lookups" (
    "business_id" UUID NOT NULL,
    "mode" "mode" NOT NULL,
    "key_hmac" BYTEA NOT NULL,
    "hmac_key_id" TEXT NOT NULL,
    "product_key_id" UUID NOT NULL,
    "rotation_id" UUID,

    CONSTRAINT "product_key_lookups_pkey" PRIMARY KEY ("business_id","mode","key_hmac")
);

CREATE TABLE "product_key_rotations" (
    "business_id" UUID NOT NULL,
    "mode" "mode" NOT NULL,
    "id" UUID NOT NULL,
    "product_key_id" UUID NOT NULL,
    "key_ciphertext" BYTEA NOT NULL,
    "last4" TEXT NOT NULL,
    "grace_until" TIMESTAMPTZ(3) NOT NULL,
    "created_at" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "product_key_rotations_pkey" PRIMARY KEY ("business_id","mode","id")
);

CREATE TABLE "product_key_products" (
    "business_id" UUID NOT NULL,
    "mode" "mode" NOT NULL,
    "product_key_id" UUID NOT NULL,
    "product_id" UUID NOT NULL,
    "position" INTEGER NOT NULL,

    CONSTRAINT "product_key_products_pkey" PRIMARY KEY ("business_id","mode","product_key_id","product_id")
);

CREATE TABLE "product_key_applications" (
    "business_id" UUID NOT NULL,
    "mode" "mode" NOT NULL,
    "product_key_id" UUID NOT NULL,
    "application_id" UUID NOT NULL,
    "position" INTEGER NOT NULL,

    CONSTRAINT "product_key_applications_pkey" PRIMARY KEY ("business_id","mode","product_key_id","application_id")
);

CREATE TABLE "product_key_organizations" (
    "business_id" UUID NOT NULL,
    "mode" "mode" NOT NULL,
    "product_key_id" UUID NOT NULL,
    "organization_id" UUID NOT NULL,
    "position" INTEGER NOT NULL,

    CONSTRAINT "product_key_organizations_pkey" PRIMARY KEY ("business_id","mode","product_key_id","organization_id")
);

CREATE TABLE "product_key_addresses" (
    "business_id" UUID NOT NULL,
    "mode" "mode" NOT NULL,
    "product_key_id" UUID NOT NULL,
    "use" "product_key_address_use" NOT NULL,
    "position" INTEGER NOT NULL,
    "address" TEXT NOT NULL,

    CONSTRAINT "product_key_addresses_pkey" PRIMARY KEY ("business_id","mode","product_key_id","use","position")
);

CREATE TABLE "product_key_payments" (
    "business_id" UUID NOT NULL,
    "mode" "mode" NOT NULL,
    "id" UUID NOT NULL,
    "product_key_id" UUID NOT NULL,
    "external_payment_id" TEXT NOT NULL,
    "result" "payment_result" NOT NULL,
    "amount_minor" BIGINT,
    "currency" TEXT,
    "period_starts_at" TIMESTAMPTZ(3),
    "period_ends_at" TIMESTAMPTZ(3),
    "created_at" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "product_key_payments_pkey" PRIMARY KEY ("business_id","mode","id")
);
CREATE INDEX "applications_business_id_mode_created_at_id_idx" ON "applications"("business_id", "mode", "created_at", "id");
CREATE UNIQUE INDEX "applications_business_id_mode_external_id_key" ON "applications"("business_id", "mode", "external_id");
CREATE INDEX "product_keys_business_id_mode_created_at_id_idx" ON "product_keys"("business_id", "mode", "created_at", "id");
CREATE INDEX "product_keys_business_id_mode_starts_at_id_idx" ON "product_keys"("business_id", "mode", "starts_at", "id");
CREATE INDEX "product_keys_business_id_mode_status_created_at_id_idx" ON "product_keys"("business_id", "mode", "status", "created_at", "id");
CREATE INDEX "product_keys_business_id_mode_customer_id_created_at_id_idx" ON "product_keys"("business_id", "mode", "customer_id", "created_at", "id");
CREATE UNIQUE INDEX "product_keys_business_id_mode_number_key" ON "product_keys"("business_id", "mode", "number");
CREATE INDEX "product_key_lookups_hmac_key_id_idx" ON "product_key_lookups"("hmac_key_id");
CREATE INDEX "product_key_rotations_business_id_mode_product_key_id_idx" ON "product_key_rotations"("business_id", "mode", "product_key_id");
CREATE INDEX "product_key_products_business_id_product_id_mode_product_ke_idx" ON "product_key_products"("business_id", "product_id", "mode", "product_key_id");
CREATE INDEX "product_key_applications_business_id_mode_application_id_pr_idx" ON "product_key_applications"("business_id", "mode", "application_id", "product_key_id");
CREATE INDEX "product_key_organizations_business_id_mode_organization_id__idx" ON "product_key_organizations"("business_id", "mode", "organization_id", "product_key_id");
CREATE INDEX "product_key_payments_business_id_mode_product_key_id_create_idx" ON "product_key_payments"("business_id", "mode", "product_key_id", "created_at", "id");
CREATE UNIQUE INDEX "product_key_payments_business_id_mode_external_payment_id_r_key" ON "product_key_payments"("business_id", "mode", "external_payment_id", "result");
CREATE INDEX "deliveries_business_id_mode_product_key_id_idx" ON "deliveries"("business_id", "mode", "product_key_id");

-- From here on: what the Prisma schema cannot say.

ALTER TABLE products ADD CONSTRAINT products_trial_days CHECK (trial_days BETWEEN 0 AND 3650);

ALTER TABLE applications ADD FOREIGN KEY (business_id) REFERENCES businesses (id);
CREATE INDEX applications_search ON applications USING gin (business_id, mode, lower(name || ' ' || coalesce(external_id, '')) gin_trgm_ops);

-- A product key's status is what was written last; from `due_at` on the clock says something else, which every reader computes
-- and the worker writes.
ALTER TABLE product_keys
  ADD FOREIGN KEY (business_id, mode, customer_id) REFERENCES customers (business_id, mode, id),
  ADD FOREIGN KEY (business_id, mode, provider_organization_id) REFERENCES organizations (business_id, mode, id),
  ADD FOREIGN KEY (business_id, mode, organization_id) REFERENCES organizations (business_id, mode, id),
  ADD CONSTRAINT product_keys_trial CHECK (trial_ends_at > starts_at
    AND (trial_notice_at IS NULL OR (trial_notice_at >= starts_at AND trial_notice_at < trial_ends_at) IS TRUE)),
  ADD CONSTRAINT product_keys_expiry CHECK (expires_at > starts_at),
  ADD CONSTRAINT product_keys_disabled CHECK ((disabled_at IS NULL) = (disabled_by IS NULL)
    AND (disabled_reason IS NULL OR disabled_at IS NOT NULL)
    AND (status IN ('CANCELLED', 'EXPIRED') OR (status = 'DISABLED') = (disabled_at IS NOT NULL))),
  ADD CONSTRAINT product_keys_cancelled CHECK ((status = 'CANCELLED') = (cancelled_at IS NOT NULL)
    AND (cancelled_at IS NULL OR cancel_at IS NOT NULL)),
  ADD CONSTRAINT product_keys_expired CHECK ((status = 'EXPIRED') = (expired_at IS NOT NULL)),
  ADD COLUMN due_at timestamptz(3) GENERATED ALWAYS AS (CASE status
      WHEN 'SCHEDULED' THEN least(starts_at, cancel_at, expires_at)
      WHEN 'TRIALING' THEN least(trial_ends_at, CASE WHEN trial_notified_at IS NULL THEN trial_notice_at END, cancel_at, expires_at)
      WHEN 'ACTIVE' THEN least(cancel_at, expires_at)
      WHEN 'DISABLED' THEN least(cancel_at, expires_at)
    END) STORED,
  ADD COLUMN search_text text GENERATED ALWAYS AS (lower(number || ' ' || description || ' ' || coalesce(external_quote_id, '')
    || ' ' || coalesce(application_external_id, ''))) STORED;
CREATE INDEX product_keys_due ON product_keys (due_at, id) WHERE due_at IS NOT NULL;
CREATE INDEX product_keys_due_of_business ON product_keys (business_id, mode, due_at) WHERE due_at IS NOT NULL;
CREATE INDEX product_keys_expires_at ON product_keys (business_id, mode, (coalesce(expires_at, 'infinity'::timestamptz)), id);
CREATE INDEX product_keys_quote ON product_keys (business_id, mode, external_quote_id) WHERE external_quote_id IS NOT NULL;
CREATE INDEX product_keys_application ON product_keys (business_id, mode, application_external_id) WHERE application_external_id IS NOT NULL;
CREATE INDEX product_keys_organization ON product_keys (business_id, mode, organization_id) WHERE organization_id IS NOT NULL;
CREATE INDEX product_keys_provider ON product_keys (business_id, mode, provider_organization_id) WHERE provider_organization_id IS NOT NULL;
CREATE INDEX product_keys_data_provider ON product_keys (business_id, mode, data_provider_configuration_id)
  WHERE data_provider_configuration_id IS NOT NULL;
CREATE INDEX product_keys_search ON product_keys USING gin (business_id, mode, search_text gin_trgm_ops);
CREATE INDEX product_keys_tags ON product_keys USING gin (business_id, mode, tags);
CREATE INDEX product_keys_metadata ON product_keys USING gin (business_id, mode, metadata jsonb_path_ops);
CREATE TRIGGER product_keys_of_erased AFTER INSERT ON product_keys
  REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION refuse_erased_customer();

-- Room in each page for the next version of a counter that changes with every use.
ALTER TABLE product_key_meters SET (fillfactor = 60);
ALTER TABLE product_key_meters
  ADD FOREIGN KEY (business_id, mode, id) REFERENCES product_keys (business_id, mode, id),
  ADD CONSTRAINT product_key_meters_quota CHECK (quota >= 0),
  ADD CONSTRAINT product_key_meters_consumed CHECK (consumed >= 0),
  ADD CONSTRAINT product_key_meters_threshold CHECK (threshold BETWEEN 0 AND 100000),
  ADD CONSTRAINT product_key_meters_period CHECK (period_ends_at > period_starts_at AND (period_ends_at IS NULL) = (quota_period IS NULL));

-- Deferred, so that a text is claimed before its key is written.
ALTER TABLE product_key_lookups
  ADD FOREIGN KEY (business_id, mode, product_key_id) REFERENCES product_keys (business_id, mode, id) DEFERRABLE INITIALLY DEFERRED,
  ADD FOREIGN KEY (business_id, mode, rotation_id) REFERENCES product_key_rotations (business_id, mode, id) DEFERRABLE INITIALLY DEFERRED;
CREATE UNIQUE INDEX product_key_lookups_text ON product_key_lookups (business_id, mode, (coalesce(rotation_id, product_key_id)), hmac_key_id);
ALTER TABLE product_key_rotations
  ADD FOREIGN KEY (business_id, mode, product_key_id) REFERENCES product_keys (business_id, mode, id),
  ADD CONSTRAINT product_key_rotations_grace CHECK (grace_until >= created_at);

ALTER TABLE product_key_products
  ADD FOREIGN KEY (business_id, mode, product_key_id) REFERENCES product_keys (business_id, mode, id),
  ADD FOREIGN KEY (business_id, product_id) REFERENCES products (business_id, id);
ALTER TABLE product_key_applications
  ADD FOREIGN KEY (business_id, mode, product_key_id) REFERENCES product_keys (business_id, mode, id),
  ADD FOREIGN KEY (business_id, mode, application_id) REFERENCES applications (business_id, mode, id);
ALTER TABLE product_key_organizations
  ADD FOREIGN KEY (business_id, mode, product_key_id) REFERENCES product_keys (business_id, mode, id),
  ADD FOREIGN KEY (business_id, mode, organization_id) REFERENCES organizations (business_id, mode, id);
ALTER TABLE product_key_addresses
  ADD FOREIGN KEY (business_id, mode, product_key_id) REFERENCES product_keys (business_id, mode, id),
  ADD COLUMN canonical text GENERATED ALWAYS AS (lower(address)) STORED;
CREATE UNIQUE INDEX product_key_addresses_once ON product_key_addresses (business_id, mode, product_key_id, use, canonical);
-- Where a person stands, whoever's key it is: for its erasure.
CREATE INDEX product_key_addresses_of_person ON product_key_addresses (business_id, mode, canonical);

ALTER TABLE product_key_payments
  ADD FOREIGN KEY (business_id, mode, product_key_id) REFERENCES product_keys (business_id, mode, id),
  ADD CONSTRAINT product_key_payments_amount CHECK (num_nonnulls(amount_minor, currency) <> 1 AND amount_minor >= 0),
  ADD CONSTRAINT product_key_payments_period CHECK (num_nonnulls(period_starts_at, period_ends_at) <> 1 AND period_ends_at > period_starts_at),
  ADD CONSTRAINT product_key_payments_paid CHECK (result <> 'SUCCEEDED' OR (amount_minor IS NOT NULL AND period_ends_at IS NOT NULL));
CREATE TRIGGER product_key_payments_append_only BEFORE UPDATE OR DELETE ON product_key_payments
  FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER product_key_payments_no_truncate BEFORE TRUNCATE ON product_key_payments
  FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

ALTER TABLE deliveries ADD FOREIGN KEY (business_id, mode, product_key_id) REFERENCES product_keys (business_id, mode, id);
-- Notices of product keys also go to other persons than the key's owner: found by their address when one is erased.
CREATE INDEX deliveries_of_product_keys ON deliveries (business_id, mode, lower(recipient)) WHERE product_key_id IS NOT NULL AND recipient IS NOT NULL;
