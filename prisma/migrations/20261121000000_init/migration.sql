-- Tables as prisma/schema.prisma has them, then the rules that only the database can keep.

CREATE TYPE "mode" AS ENUM ('LIVE', 'TEST');

CREATE TYPE "billing_period" AS ENUM ('ONE_TIME', 'DAY', 'WEEK', 'MONTH', 'YEAR');

CREATE TYPE "product_offering_status" AS ENUM ('AVAILABLE', 'ARCHIVED');

CREATE TYPE "integration_type" AS ENUM ('LICENSE_KEY');

CREATE TYPE "fulfillment_mode" AS ENUM ('AUTO', 'MANUAL');

CREATE TYPE "duration_unit" AS ENUM ('DAY', 'WEEK', 'MONTH', 'YEAR');

CREATE TYPE "license_status" AS ENUM ('PENDING', 'ACTIVE', 'PAUSED', 'BLOCKED', 'CANCELLED');

CREATE TYPE "license_key_source" AS ENUM ('AUTO', 'MANUAL', 'SUPPLIED');

CREATE TYPE "license_key_status" AS ENUM ('ACTIVE', 'DISABLED');

CREATE TYPE "grant_status" AS ENUM ('PENDING', 'DELIVERED', 'FAILED', 'REVOKED');

CREATE TYPE "revocation_reason" AS ENUM ('MANUAL', 'LICENSE_CANCELLED', 'REFUND', 'PLAN_CHANGED', 'KEY_DISABLED', 'LICENSE_PAUSED', 'LICENSE_BLOCKED', 'LICENSE_EXPIRED', 'PLATFORM');

CREATE TYPE "delivery_status" AS ENUM ('QUEUED', 'SENT', 'FAILED', 'BOUNCED');

CREATE TYPE "delivery_failure" AS ENUM ('NO_ADDRESS', 'REFUSED', 'UNREACHABLE', 'WITHDRAWN');

CREATE TYPE "ledger_account_kind" AS ENUM ('WALLET', 'FUNDING', 'SALES');

CREATE TYPE "ledger_transaction_kind" AS ENUM ('CREDIT', 'PURCHASE');

CREATE TYPE "order_status" AS ENUM ('DRAFT', 'SUBMITTED', 'COMPLETED', 'CANCELLED', 'PARTIALLY_REFUNDED', 'REFUNDED');

CREATE TABLE "businesses" (
    "id" UUID NOT NULL,
    "name" TEXT NOT NULL,
    "managed_billing" BOOLEAN NOT NULL,
    "metadata" JSONB NOT NULL,
    "version" INTEGER NOT NULL DEFAULT 1,
    "created_at" TIMESTAMPTZ(3) NOT NULL,
    "updated_at" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "businesses_pkey" PRIMARY KEY ("id")
);

CREATE TABLE "brands" (
    "business_id" UUID NOT NULL,
    "id" UUID NOT NULL,
    "name" TEXT NOT NULL,
    "url" TEXT NOT NULL,
    "is_primary" BOOLEAN NOT NULL,
    "metadata" JSONB NOT NULL,
    "version" INTEGER NOT NULL DEFAULT 1,
    "created_at" TIMESTAMPTZ(3) NOT NULL,
    "updated_at" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "brands_pkey" PRIMARY KEY ("business_id","id")
);

CREATE TABLE "api_keys" (
    "business_id" UUID NOT NULL,
    "id" UUID NOT NULL,
    "mode" "mode" NOT NULL,
    "name" TEXT NOT NULL,
    "token_hash" BYTEA NOT NULL,
    "last4" TEXT NOT NULL,
    "scopes" TEXT[],
    "expires_at" TIMESTAMPTZ(3),
    "last_used_at" TIMESTAMPTZ(3),
    "revoked_at" TIMESTAMPTZ(3),
    "version" INTEGER NOT NULL DEFAULT 1,
    "created_at" TIMESTAMPTZ(3) NOT NULL,
    "updated_at" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "api_keys_pkey" PRIMARY KEY ("business_id","id")
);

CREATE TABLE "customer_sessions" (
    "business_id" UUID NOT NULL,
    "mode" "mode" NOT NULL,
    "id" UUID NOT NULL,
    "customer_id" UUID NOT NULL,
    "api_key_id" UUID NOT NULL,
    "token_hash" BYTEA NOT NULL,
    "expires_at" TIMESTAMPTZ(3) NOT NULL,
    "revoked_at" TIMESTAMPTZ(3),
    "version" INTEGER NOT NULL DEFAULT 1,
    "created_at" TIMESTAMPTZ(3) NOT NULL,
    "updated_at" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "customer_sessions_pkey" PRIMARY KEY ("business_id","mode","id")
);

CREATE TABLE "customers" (
    "business_id" UUID NOT NULL,
    "mode" "mode" NOT NULL,
    "id" UUID NOT NULL,
    "brand_id" UUID NOT NULL,
    "number" TEXT NOT NULL,
    "code" TEXT,
    "external_id" TEXT,
    "first_name" TEXT,
    "last_name" TEXT,
    "company_name" TEXT,
    "email" TEXT,
    "is_email_verified" BOOLEAN NOT NULL,
    "country_code" TEXT,
    "locale" TEXT,
    "metadata" JSONB NOT NULL,
    "version" INTEGER NOT NULL DEFAULT 1,
    "created_at" TIMESTAMPTZ(3) NOT NULL,
    "updated_at" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "customers_pkey" PRIMARY KEY ("business_id","mode","id")
);

CREATE TABLE "products" (
    "business_id" UUID NOT NULL,
    "id" UUID NOT NULL,
    "sku" TEXT NOT NULL,
    "name" TEXT NOT NULL,
    "description" TEXT,
    "service_url" TEXT,
    "metadata" JSONB NOT NULL,
    "archived_at" TIMESTAMPTZ(3),
    "version" INTEGER NOT NULL DEFAULT 1,
    "created_at" TIMESTAMPTZ(3) NOT NULL,
    "updated_at" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "products_pkey" PRIMARY KEY ("business_id","id")
);

CREATE TABLE "product_offerings" (
    "business_id" UUID NOT NULL,
    "id" UUID NOT NULL,
    "product_id" UUID NOT NULL,
    "name" TEXT NOT NULL,
    "description" TEXT,
    "license_type" TEXT NOT NULL,
    "price_minor" BIGINT NOT NULL,
    "currency" TEXT NOT NULL,
    "billing_period" "billing_period" NOT NULL,
    "bound_months" INTEGER NOT NULL,
    "group_name" TEXT,
    "status" "product_offering_status" NOT NULL,
    "metadata" JSONB NOT NULL,
    "version" INTEGER NOT NULL DEFAULT 1,
    "created_at" TIMESTAMPTZ(3) NOT NULL,
    "updated_at" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "product_offerings_pkey" PRIMARY KEY ("business_id","id")
);

CREATE TABLE "packages" (
    "business_id" UUID NOT NULL,
    "id" UUID NOT NULL,
    "brand_id" UUID NOT NULL,
    "primary_product_id" UUID NOT NULL,
    "name" TEXT NOT NULL,
    "description" TEXT,
    "metadata" JSONB NOT NULL,
    "archived_at" TIMESTAMPTZ(3),
    "version" INTEGER NOT NULL DEFAULT 1,
    "created_at" TIMESTAMPTZ(3) NOT NULL,
    "updated_at" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "packages_pkey" PRIMARY KEY ("business_id","id")
);

CREATE TABLE "package_offerings" (
    "business_id" UUID NOT NULL,
    "package_id" UUID NOT NULL,
    "product_offering_id" UUID NOT NULL,

    CONSTRAINT "package_offerings_pkey" PRIMARY KEY ("business_id","package_id","product_offering_id")
);

CREATE TABLE "subscription_types" (
    "business_id" UUID NOT NULL,
    "id" UUID NOT NULL,
    "name" TEXT NOT NULL,
    "days" INTEGER NOT NULL,
    "metadata" JSONB NOT NULL,
    "archived_at" TIMESTAMPTZ(3),
    "version" INTEGER NOT NULL DEFAULT 1,
    "created_at" TIMESTAMPTZ(3) NOT NULL,
    "updated_at" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "subscription_types_pkey" PRIMARY KEY ("business_id","id")
);

CREATE TABLE "package_prices" (
    "business_id" UUID NOT NULL,
    "id" UUID NOT NULL,
    "package_id" UUID NOT NULL,
    "subscription_type_id" UUID NOT NULL,
    "currency" TEXT NOT NULL,
    "amount_minor" BIGINT NOT NULL,
    "version" INTEGER NOT NULL DEFAULT 1,
    "created_at" TIMESTAMPTZ(3) NOT NULL,
    "updated_at" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "package_prices_pkey" PRIMARY KEY ("business_id","id")
);

CREATE TABLE "entitlements" (
    "business_id" UUID NOT NULL,
    "id" UUID NOT NULL,
    "name" TEXT NOT NULL,
    "description" TEXT,
    "integration_type" "integration_type" NOT NULL,
    "fulfillment_mode" "fulfillment_mode",
    "activations_limit" INTEGER,
    "duration_count" INTEGER,
    "duration_unit" "duration_unit",
    "activation_message" TEXT,
    "fulfill_within_hours" INTEGER,
    "metadata" JSONB NOT NULL,
    "archived_at" TIMESTAMPTZ(3),
    "version" INTEGER NOT NULL DEFAULT 1,
    "created_at" TIMESTAMPTZ(3) NOT NULL,
    "updated_at" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "entitlements_pkey" PRIMARY KEY ("business_id","id")
);

CREATE TABLE "entitlement_attachments" (
    "business_id" UUID NOT NULL,
    "id" UUID NOT NULL,
    "entitlement_id" UUID NOT NULL,
    "product_id" UUID,
    "product_offering_id" UUID,
    "package_id" UUID,
    "created_at" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "entitlement_attachments_pkey" PRIMARY KEY ("business_id","id")
);

CREATE TABLE "licenses" (
    "business_id" UUID NOT NULL,
    "mode" "mode" NOT NULL,
    "id" UUID NOT NULL,
    "number" TEXT NOT NULL,
    "status" "license_status" NOT NULL,
    "status_before_block" "license_status",
    "type" TEXT NOT NULL,
    "customer_id" UUID NOT NULL,
    "product_offering_id" UUID,
    "package_id" UUID,
    "subscription_type_id" UUID,
    "order_id" UUID,
    "valid_from" TIMESTAMPTZ(3) NOT NULL,
    "valid_until" TIMESTAMPTZ(3),
    "activated_at" TIMESTAMPTZ(3),
    "paused_at" TIMESTAMPTZ(3),
    "cancelled_at" TIMESTAMPTZ(3),
    "assigned_to_type" TEXT,
    "assigned_to_id" TEXT,
    "assigned_to_display_name" TEXT,
    "assigned_to_details" JSONB,
    "details" JSONB,
    "pending_status" "license_status",
    "pending_status_at" TIMESTAMPTZ(3),
    "amount_minor" BIGINT,
    "currency" TEXT,
    "description" TEXT,
    "tags" TEXT[],
    "metadata" JSONB NOT NULL,
    "version" INTEGER NOT NULL DEFAULT 1,
    "created_at" TIMESTAMPTZ(3) NOT NULL,
    "updated_at" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "licenses_pkey" PRIMARY KEY ("business_id","mode","id")
);

CREATE TABLE "license_keys" (
    "business_id" UUID NOT NULL,
    "mode" "mode" NOT NULL,
    "id" UUID NOT NULL,
    "customer_id" UUID NOT NULL,
    "key_hmac" BYTEA NOT NULL,
    "key_hmac_next" BYTEA,
    "hmac_key_id" TEXT NOT NULL,
    "key_ciphertext" BYTEA NOT NULL,
    "last4" TEXT NOT NULL,
    "source" "license_key_source" NOT NULL,
    "status" "license_key_status" NOT NULL,
    "activations_used" INTEGER NOT NULL DEFAULT 0,
    "activations_limit" INTEGER,
    "expires_at" TIMESTAMPTZ(3),
    "disabled_at" TIMESTAMPTZ(3),
    "version" INTEGER NOT NULL DEFAULT 1,
    "created_at" TIMESTAMPTZ(3) NOT NULL,
    "updated_at" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "license_keys_pkey" PRIMARY KEY ("business_id","mode","id")
);

CREATE TABLE "license_key_bindings" (
    "business_id" UUID NOT NULL,
    "mode" "mode" NOT NULL,
    "license_key_id" UUID NOT NULL,
    "license_id" UUID NOT NULL,
    "created_at" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "license_key_bindings_pkey" PRIMARY KEY ("business_id","mode","license_key_id","license_id")
);

CREATE TABLE "grants" (
    "business_id" UUID NOT NULL,
    "mode" "mode" NOT NULL,
    "id" UUID NOT NULL,
    "customer_id" UUID NOT NULL,
    "entitlement_id" UUID NOT NULL,
    "integration_type" "integration_type" NOT NULL,
    "status" "grant_status" NOT NULL,
    "fulfillment_mode" "fulfillment_mode",
    "license_id" UUID,
    "order_id" UUID,
    "license_key_id" UUID,
    "payment_id" TEXT,
    "subscription_id" TEXT,
    "due_at" TIMESTAMPTZ(3),
    "claimed_by" TEXT,
    "claimed_until" TIMESTAMPTZ(3),
    "delivered_at" TIMESTAMPTZ(3),
    "revoked_at" TIMESTAMPTZ(3),
    "revocation_reason" "revocation_reason",
    "revocation_causes" TEXT[] DEFAULT ARRAY[]::TEXT[],
    "revocation_note" TEXT,
    "status_before_revocation" "grant_status",
    "error_code" TEXT,
    "error_message" TEXT,
    "metadata" JSONB NOT NULL,
    "version" INTEGER NOT NULL DEFAULT 1,
    "created_at" TIMESTAMPTZ(3) NOT NULL,
    "updated_at" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "grants_pkey" PRIMARY KEY ("business_id","mode","id")
);

CREATE TABLE "deliveries" (
    "business_id" UUID NOT NULL,
    "mode" "mode" NOT NULL,
    "id" UUID NOT NULL,
    "customer_id" UUID NOT NULL,
    "grant_id" UUID,
    "template" TEXT NOT NULL,
    "recipient" TEXT,
    "status" "delivery_status" NOT NULL,
    "failure" "delivery_failure",
    "attempts" INTEGER NOT NULL DEFAULT 0,
    "response" TEXT,
    "file" TEXT,
    "enqueued_at" TIMESTAMPTZ(3),
    "sent_at" TIMESTAMPTZ(3),
    "version" INTEGER NOT NULL DEFAULT 1,
    "created_at" TIMESTAMPTZ(3) NOT NULL,
    "updated_at" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "deliveries_pkey" PRIMARY KEY ("business_id","mode","id")
);

CREATE TABLE "wallets" (
    "business_id" UUID NOT NULL,
    "mode" "mode" NOT NULL,
    "id" UUID NOT NULL,
    "customer_id" UUID NOT NULL,
    "brand_id" UUID NOT NULL,
    "currency" TEXT NOT NULL,
    "is_default" BOOLEAN NOT NULL,
    "balance_minor" BIGINT NOT NULL DEFAULT 0,
    "ledger_sequence" BIGINT,
    "ledger_hash" BYTEA NOT NULL,
    "version" INTEGER NOT NULL DEFAULT 1,
    "created_at" TIMESTAMPTZ(3) NOT NULL,
    "updated_at" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "wallets_pkey" PRIMARY KEY ("business_id","mode","id")
);

CREATE TABLE "ledger_accounts" (
    "business_id" UUID NOT NULL,
    "mode" "mode" NOT NULL,
    "id" UUID NOT NULL,
    "kind" "ledger_account_kind" NOT NULL,
    "currency" TEXT NOT NULL,
    "wallet_id" UUID,
    "created_at" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "ledger_accounts_pkey" PRIMARY KEY ("business_id","mode","id")
);

CREATE TABLE "ledger_transactions" (
    "business_id" UUID NOT NULL,
    "mode" "mode" NOT NULL,
    "id" UUID NOT NULL,
    "kind" "ledger_transaction_kind" NOT NULL,
    "reason" TEXT,
    "reference" TEXT,
    "order_id" UUID,
    "created_at" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "ledger_transactions_pkey" PRIMARY KEY ("business_id","mode","id")
);

CREATE TABLE "ledger_transfers" (
    "business_id" UUID NOT NULL,
    "mode" "mode" NOT NULL,
    "id" UUID NOT NULL,
    "transaction_id" UUID NOT NULL,
    "debit_account_id" UUID NOT NULL,
    "credit_account_id" UUID NOT NULL,
    "currency" TEXT NOT NULL,
    "amount_minor" BIGINT NOT NULL,
    "wallet_id" UUID NOT NULL,
    "wallet_sequence" BIGINT NOT NULL,
    "is_credit" BOOLEAN NOT NULL,
    "balance_before_minor" BIGINT NOT NULL,
    "balance_after_minor" BIGINT NOT NULL,
    "hash" BYTEA NOT NULL,
    "created_at" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "ledger_transfers_pkey" PRIMARY KEY ("business_id","mode","id")
);

CREATE TABLE "orders" (
    "business_id" UUID NOT NULL,
    "mode" "mode" NOT NULL,
    "id" UUID NOT NULL,
    "number" TEXT NOT NULL,
    "brand_id" UUID NOT NULL,
    "customer_id" UUID NOT NULL,
    "wallet_id" UUID,
    "status" "order_status" NOT NULL,
    "currency" TEXT NOT NULL,
    "total_minor" BIGINT NOT NULL,
    "payment_reference" TEXT,
    "ledger_transaction_id" UUID,
    "completed_at" TIMESTAMPTZ(3),
    "version" INTEGER NOT NULL DEFAULT 1,
    "created_at" TIMESTAMPTZ(3) NOT NULL,
    "updated_at" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "orders_pkey" PRIMARY KEY ("business_id","mode","id")
);

CREATE TABLE "order_lines" (
    "business_id" UUID NOT NULL,
    "mode" "mode" NOT NULL,
    "id" UUID NOT NULL,
    "order_id" UUID NOT NULL,
    "position" INTEGER NOT NULL,
    "package_id" UUID,
    "subscription_type_id" UUID,
    "quantity" INTEGER NOT NULL,
    "unit_amount_minor" BIGINT NOT NULL,
    "total_minor" BIGINT NOT NULL,
    "description" TEXT,

    CONSTRAINT "order_lines_pkey" PRIMARY KEY ("business_id","mode","id")
);

CREATE TABLE "changes" (
    "business_id" UUID NOT NULL,
    "mode" "mode" NOT NULL,
    "id" UUID NOT NULL,
    "position" BIGINT,
    "type" TEXT NOT NULL,
    "object_type" TEXT NOT NULL,
    "object_id" UUID NOT NULL,
    "sequence" INTEGER NOT NULL,
    "actor_kind" TEXT NOT NULL,
    "actor_id" UUID,
    "actor_name" TEXT,
    "reason" TEXT,
    "before" JSONB,
    "after" JSONB,
    "snapshot" JSONB NOT NULL,
    "request_id" TEXT NOT NULL,
    "created_at" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "changes_pkey" PRIMARY KEY ("business_id","mode","id")
);

CREATE TABLE "change_positions" (
    "business_id" UUID NOT NULL,
    "mode" "mode" NOT NULL,
    "last_position" BIGINT NOT NULL,

    CONSTRAINT "change_positions_pkey" PRIMARY KEY ("business_id","mode")
);

CREATE TABLE "idempotency_records" (
    "namespace" TEXT NOT NULL,
    "key" TEXT NOT NULL,
    "mutation" TEXT NOT NULL,
    "fingerprint" BYTEA NOT NULL,
    "result" JSONB,
    "secret" BYTEA,
    "expires_at" TIMESTAMPTZ(3),
    "created_at" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "idempotency_records_pkey" PRIMARY KEY ("namespace","key")
);

CREATE TABLE "secret_checks" (
    "key_id" TEXT NOT NULL,
    "purpose" TEXT NOT NULL,
    "value" BYTEA NOT NULL,
    "created_at" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "secret_checks_pkey" PRIMARY KEY ("purpose","key_id")
);

CREATE UNIQUE INDEX "brands_url_key" ON "brands"("url");

CREATE INDEX "brands_business_id_created_at_id_idx" ON "brands"("business_id", "created_at", "id");

CREATE UNIQUE INDEX "api_keys_token_hash_key" ON "api_keys"("token_hash");

CREATE UNIQUE INDEX "customer_sessions_token_hash_key" ON "customer_sessions"("token_hash");

CREATE INDEX "customer_sessions_business_id_mode_customer_id_idx" ON "customer_sessions"("business_id", "mode", "customer_id");

CREATE INDEX "customers_business_id_mode_created_at_id_idx" ON "customers"("business_id", "mode", "created_at", "id");


CREATE UNIQUE INDEX "customers_business_id_mode_number_key" ON "customers"("business_id", "mode", "number");

CREATE UNIQUE INDEX "customers_business_id_mode_code_key" ON "customers"("business_id", "mode", "code");

CREATE UNIQUE INDEX "customers_business_id_mode_external_id_key" ON "customers"("business_id", "mode", "external_id");

CREATE INDEX "products_business_id_created_at_id_idx" ON "products"("business_id", "created_at", "id");

CREATE INDEX "products_business_id_name_id_idx" ON "products"("business_id", "name", "id");

CREATE UNIQUE INDEX "products_business_id_sku_key" ON "products"("business_id", "sku");

CREATE INDEX "product_offerings_business_id_product_id_idx" ON "product_offerings"("business_id", "product_id");

CREATE INDEX "product_offerings_business_id_created_at_id_idx" ON "product_offerings"("business_id", "created_at", "id");

CREATE INDEX "product_offerings_business_id_name_id_idx" ON "product_offerings"("business_id", "name", "id");

CREATE INDEX "packages_business_id_primary_product_id_idx" ON "packages"("business_id", "primary_product_id");

CREATE INDEX "packages_business_id_created_at_id_idx" ON "packages"("business_id", "created_at", "id");

CREATE INDEX "packages_business_id_name_id_idx" ON "packages"("business_id", "name", "id");

CREATE INDEX "package_offerings_business_id_product_offering_id_idx" ON "package_offerings"("business_id", "product_offering_id");

CREATE INDEX "subscription_types_business_id_created_at_id_idx" ON "subscription_types"("business_id", "created_at", "id");

CREATE INDEX "subscription_types_business_id_days_id_idx" ON "subscription_types"("business_id", "days", "id");

CREATE UNIQUE INDEX "subscription_types_business_id_name_key" ON "subscription_types"("business_id", "name");

CREATE INDEX "package_prices_business_id_subscription_type_id_idx" ON "package_prices"("business_id", "subscription_type_id");

CREATE INDEX "package_prices_business_id_created_at_id_idx" ON "package_prices"("business_id", "created_at", "id");

CREATE UNIQUE INDEX "package_prices_business_id_package_id_subscription_type_id__key" ON "package_prices"("business_id", "package_id", "subscription_type_id", "currency");

CREATE INDEX "entitlements_business_id_created_at_id_idx" ON "entitlements"("business_id", "created_at", "id");

CREATE INDEX "entitlements_business_id_name_id_idx" ON "entitlements"("business_id", "name", "id");

CREATE INDEX "entitlement_attachments_business_id_entitlement_id_idx" ON "entitlement_attachments"("business_id", "entitlement_id");

CREATE UNIQUE INDEX "entitlement_attachments_business_id_product_id_entitlement__key" ON "entitlement_attachments"("business_id", "product_id", "entitlement_id");

CREATE UNIQUE INDEX "entitlement_attachments_business_id_product_offering_id_ent_key" ON "entitlement_attachments"("business_id", "product_offering_id", "entitlement_id");

CREATE UNIQUE INDEX "entitlement_attachments_business_id_package_id_entitlement__key" ON "entitlement_attachments"("business_id", "package_id", "entitlement_id");

CREATE INDEX "licenses_business_id_mode_created_at_id_idx" ON "licenses"("business_id", "mode", "created_at", "id");

CREATE INDEX "licenses_business_id_mode_valid_from_id_idx" ON "licenses"("business_id", "mode", "valid_from", "id");

CREATE INDEX "licenses_business_id_mode_customer_id_created_at_id_idx" ON "licenses"("business_id", "mode", "customer_id", "created_at", "id");

CREATE INDEX "licenses_business_id_mode_product_offering_id_created_at_id_idx" ON "licenses"("business_id", "mode", "product_offering_id", "created_at", "id");

CREATE INDEX "licenses_business_id_mode_package_id_created_at_id_idx" ON "licenses"("business_id", "mode", "package_id", "created_at", "id");

CREATE INDEX "licenses_business_id_mode_order_id_idx" ON "licenses"("business_id", "mode", "order_id");

CREATE UNIQUE INDEX "licenses_business_id_mode_number_key" ON "licenses"("business_id", "mode", "number");

CREATE INDEX "license_keys_business_id_mode_customer_id_idx" ON "license_keys"("business_id", "mode", "customer_id");

CREATE UNIQUE INDEX "license_keys_business_id_mode_key_hmac_key" ON "license_keys"("business_id", "mode", "key_hmac");

CREATE UNIQUE INDEX "license_keys_business_id_mode_key_hmac_next_key" ON "license_keys"("business_id", "mode", "key_hmac_next");

CREATE INDEX "license_key_bindings_business_id_mode_license_id_idx" ON "license_key_bindings"("business_id", "mode", "license_id");

CREATE INDEX "grants_business_id_mode_created_at_id_idx" ON "grants"("business_id", "mode", "created_at", "id");

CREATE INDEX "grants_business_id_mode_customer_id_created_at_id_idx" ON "grants"("business_id", "mode", "customer_id", "created_at", "id");

CREATE INDEX "grants_business_id_mode_entitlement_id_created_at_id_idx" ON "grants"("business_id", "mode", "entitlement_id", "created_at", "id");

CREATE INDEX "grants_business_id_mode_license_key_id_idx" ON "grants"("business_id", "mode", "license_key_id");

CREATE INDEX "grants_business_id_mode_order_id_idx" ON "grants"("business_id", "mode", "order_id");

CREATE INDEX "grants_business_id_mode_license_id_idx" ON "grants"("business_id", "mode", "license_id");

CREATE INDEX "deliveries_business_id_mode_grant_id_idx" ON "deliveries"("business_id", "mode", "grant_id");

CREATE INDEX "deliveries_business_id_mode_customer_id_idx" ON "deliveries"("business_id", "mode", "customer_id");

CREATE INDEX "wallets_business_id_mode_customer_id_created_at_id_idx" ON "wallets"("business_id", "mode", "customer_id", "created_at", "id");

CREATE INDEX "wallets_business_id_mode_created_at_id_idx" ON "wallets"("business_id", "mode", "created_at", "id");

CREATE UNIQUE INDEX "ledger_accounts_business_id_mode_id_currency_key" ON "ledger_accounts"("business_id", "mode", "id", "currency");

CREATE INDEX "ledger_transactions_business_id_mode_order_id_idx" ON "ledger_transactions"("business_id", "mode", "order_id");

CREATE INDEX "ledger_transfers_business_id_mode_transaction_id_idx" ON "ledger_transfers"("business_id", "mode", "transaction_id");

CREATE UNIQUE INDEX "ledger_transfers_business_id_mode_wallet_id_wallet_sequence_key" ON "ledger_transfers"("business_id", "mode", "wallet_id", "wallet_sequence", "balance_after_minor");

CREATE INDEX "orders_business_id_mode_created_at_id_idx" ON "orders"("business_id", "mode", "created_at", "id");

CREATE INDEX "orders_business_id_mode_customer_id_created_at_id_idx" ON "orders"("business_id", "mode", "customer_id", "created_at", "id");

CREATE INDEX "orders_business_id_mode_wallet_id_idx" ON "orders"("business_id", "mode", "wallet_id");

CREATE UNIQUE INDEX "orders_business_id_mode_number_key" ON "orders"("business_id", "mode", "number");

CREATE UNIQUE INDEX "order_lines_business_id_mode_order_id_position_key" ON "order_lines"("business_id", "mode", "order_id", "position");

CREATE UNIQUE INDEX "changes_business_id_mode_object_type_object_id_sequence_key" ON "changes"("business_id", "mode", "object_type", "object_id", "sequence");

-- ---------------------------------------------------------------------------------------------------------------------
-- From here on: what the Prisma schema cannot say.
-- ---------------------------------------------------------------------------------------------------------------------

CREATE EXTENSION IF NOT EXISTS btree_gist;
CREATE EXTENSION IF NOT EXISTS btree_gin;
CREATE EXTENSION IF NOT EXISTS pg_trgm;

-- Foreign keys. Each carries the tenant's columns, so that no row can point across businesses or modes.

ALTER TABLE brands ADD FOREIGN KEY (business_id) REFERENCES businesses (id);
ALTER TABLE api_keys ADD FOREIGN KEY (business_id) REFERENCES businesses (id);
ALTER TABLE customer_sessions
  ADD FOREIGN KEY (business_id, mode, customer_id) REFERENCES customers (business_id, mode, id),
  ADD FOREIGN KEY (business_id, api_key_id) REFERENCES api_keys (business_id, id);
ALTER TABLE customers ADD FOREIGN KEY (business_id, brand_id) REFERENCES brands (business_id, id);
ALTER TABLE products ADD FOREIGN KEY (business_id) REFERENCES businesses (id);
ALTER TABLE product_offerings ADD FOREIGN KEY (business_id, product_id) REFERENCES products (business_id, id);
ALTER TABLE packages
  ADD FOREIGN KEY (business_id, brand_id) REFERENCES brands (business_id, id),
  ADD FOREIGN KEY (business_id, primary_product_id) REFERENCES products (business_id, id);
ALTER TABLE package_offerings
  ADD FOREIGN KEY (business_id, package_id) REFERENCES packages (business_id, id),
  ADD FOREIGN KEY (business_id, product_offering_id) REFERENCES product_offerings (business_id, id);
ALTER TABLE subscription_types ADD FOREIGN KEY (business_id) REFERENCES businesses (id);
ALTER TABLE package_prices
  ADD FOREIGN KEY (business_id, package_id) REFERENCES packages (business_id, id),
  ADD FOREIGN KEY (business_id, subscription_type_id) REFERENCES subscription_types (business_id, id);
ALTER TABLE entitlements ADD FOREIGN KEY (business_id) REFERENCES businesses (id);
ALTER TABLE entitlement_attachments
  ADD FOREIGN KEY (business_id, entitlement_id) REFERENCES entitlements (business_id, id),
  ADD FOREIGN KEY (business_id, product_id) REFERENCES products (business_id, id),
  ADD FOREIGN KEY (business_id, product_offering_id) REFERENCES product_offerings (business_id, id),
  ADD FOREIGN KEY (business_id, package_id) REFERENCES packages (business_id, id),
  ADD CONSTRAINT entitlement_attachments_one_target CHECK (num_nonnulls(product_id, product_offering_id, package_id) = 1);
ALTER TABLE orders
  ADD FOREIGN KEY (business_id, brand_id) REFERENCES brands (business_id, id),
  ADD FOREIGN KEY (business_id, mode, customer_id) REFERENCES customers (business_id, mode, id),
  ADD FOREIGN KEY (business_id, mode, wallet_id) REFERENCES wallets (business_id, mode, id),
  ADD FOREIGN KEY (business_id, mode, ledger_transaction_id) REFERENCES ledger_transactions (business_id, mode, id)
    DEFERRABLE INITIALLY DEFERRED;
ALTER TABLE order_lines
  ADD FOREIGN KEY (business_id, mode, order_id) REFERENCES orders (business_id, mode, id),
  ADD FOREIGN KEY (business_id, package_id) REFERENCES packages (business_id, id),
  ADD FOREIGN KEY (business_id, subscription_type_id) REFERENCES subscription_types (business_id, id);
ALTER TABLE licenses
  ADD FOREIGN KEY (business_id, mode, customer_id) REFERENCES customers (business_id, mode, id),
  ADD FOREIGN KEY (business_id, product_offering_id) REFERENCES product_offerings (business_id, id),
  ADD FOREIGN KEY (business_id, package_id) REFERENCES packages (business_id, id),
  ADD FOREIGN KEY (business_id, subscription_type_id) REFERENCES subscription_types (business_id, id),
  ADD FOREIGN KEY (business_id, mode, order_id) REFERENCES orders (business_id, mode, id);
ALTER TABLE license_keys ADD FOREIGN KEY (business_id, mode, customer_id) REFERENCES customers (business_id, mode, id);
ALTER TABLE grants
  ADD FOREIGN KEY (business_id, mode, customer_id) REFERENCES customers (business_id, mode, id),
  ADD FOREIGN KEY (business_id, entitlement_id) REFERENCES entitlements (business_id, id),
  ADD FOREIGN KEY (business_id, mode, license_id) REFERENCES licenses (business_id, mode, id),
  ADD FOREIGN KEY (business_id, mode, order_id) REFERENCES orders (business_id, mode, id),
  ADD FOREIGN KEY (business_id, mode, license_key_id) REFERENCES license_keys (business_id, mode, id);
ALTER TABLE deliveries
  ADD FOREIGN KEY (business_id, mode, customer_id) REFERENCES customers (business_id, mode, id),
  ADD FOREIGN KEY (business_id, mode, grant_id) REFERENCES grants (business_id, mode, id);
ALTER TABLE wallets
  ADD FOREIGN KEY (business_id, mode, customer_id) REFERENCES customers (business_id, mode, id),
  ADD FOREIGN KEY (business_id, brand_id) REFERENCES brands (business_id, id);
ALTER TABLE changes ADD FOREIGN KEY (business_id) REFERENCES businesses (id);

-- Accounts.

CREATE UNIQUE INDEX brands_one_primary ON brands (business_id) WHERE is_primary;
ALTER TABLE brands ADD CONSTRAINT brands_url_lower CHECK (url = lower(url));

-- Customers. The e-mail address is one customer's within a brand, whatever its case.

ALTER TABLE customers
  ADD COLUMN email_canonical text GENERATED ALWAYS AS (lower(email)) STORED,
  ADD COLUMN search_text text GENERATED ALWAYS AS (
    lower(coalesce(first_name, '') || ' ' || coalesce(last_name, '') || ' ' || coalesce(company_name, '') || ' ' ||
          coalesce(email, '') || ' ' || number || ' ' || coalesce(code, '') || ' ' || coalesce(external_id, ''))) STORED;
ALTER TABLE customers ADD COLUMN sort_name text GENERATED ALWAYS AS (
  lower(coalesce(company_name, nullif(trim(coalesce(first_name, '') || ' ' || coalesce(last_name, '')), ''), number))) STORED;
CREATE INDEX customers_sort_name ON customers (business_id, mode, sort_name, id);
CREATE UNIQUE INDEX customers_email_key ON customers (business_id, mode, brand_id, email_canonical);
CREATE INDEX customers_search ON customers USING gin (business_id, mode, search_text gin_trgm_ops);
CREATE INDEX customers_metadata ON customers USING gin (business_id, mode, metadata jsonb_path_ops);

-- Catalog.

ALTER TABLE product_offerings
  ADD CONSTRAINT product_offerings_price CHECK (price_minor >= 0),
  ADD CONSTRAINT product_offerings_bound_months CHECK (bound_months >= 0);
ALTER TABLE subscription_types ADD CONSTRAINT subscription_types_days CHECK (days > 0);
ALTER TABLE package_prices ADD CONSTRAINT package_prices_amount CHECK (amount_minor >= 0);
ALTER TABLE entitlements
  ADD CONSTRAINT entitlements_activations_limit CHECK (activations_limit > 0),
  ADD CONSTRAINT entitlements_duration CHECK (num_nonnulls(duration_count, duration_unit) <> 1 AND duration_count > 0),
  ADD CONSTRAINT entitlements_license_key_mode CHECK ((integration_type = 'LICENSE_KEY') = (fulfillment_mode IS NOT NULL));
CREATE INDEX products_search ON products USING gin (business_id, lower(name || ' ' || sku) gin_trgm_ops);
CREATE INDEX product_offerings_search ON product_offerings USING gin (business_id, lower(name) gin_trgm_ops);
CREATE INDEX packages_search ON packages USING gin (business_id, lower(name) gin_trgm_ops);
CREATE INDEX entitlements_search ON entitlements USING gin (business_id, lower(name) gin_trgm_ops);

-- Licenses. What a license occupies of its assignee's time: its window, cut by a scheduled cancellation; nothing once it
-- is cancelled. The database itself refuses two licenses of one offering for one assignee at one time.

ALTER TABLE licenses
  ADD CONSTRAINT licenses_window CHECK (valid_until > valid_from),
  ADD CONSTRAINT licenses_one_subject CHECK (num_nonnulls(product_offering_id, package_id) = 1),
  ADD CONSTRAINT licenses_blocked CHECK ((status = 'BLOCKED') = (status_before_block IS NOT NULL) AND status_before_block IN ('ACTIVE', 'PAUSED')),
  ADD CONSTRAINT licenses_pending CHECK (num_nonnulls(pending_status, pending_status_at) <> 1),
  ADD CONSTRAINT licenses_cancelled CHECK ((status = 'CANCELLED') = (cancelled_at IS NOT NULL)),
  ADD CONSTRAINT licenses_amount CHECK (amount_minor >= 0 AND num_nonnulls(amount_minor, currency) <> 1),
  ADD CONSTRAINT licenses_assignee CHECK (num_nonnulls(assigned_to_type, assigned_to_id) <> 1),
  -- greatest() and least() pass over nulls: a permanent license without a scheduled end needs a branch of its own.
  ADD COLUMN occupies tstzrange GENERATED ALWAYS AS (
    CASE WHEN status = 'CANCELLED' THEN 'empty'::tstzrange
         WHEN valid_until IS NULL AND pending_status IS DISTINCT FROM 'CANCELLED' THEN tstzrange(valid_from, NULL, '[)')
         ELSE tstzrange(valid_from, greatest(valid_from, least(valid_until, CASE WHEN pending_status = 'CANCELLED' THEN pending_status_at END)), '[)')
    END) STORED,
  ADD CONSTRAINT licenses_occupies_key UNIQUE (business_id, mode, id, occupies),
  ADD CONSTRAINT licenses_assignee_taken EXCLUDE USING gist (
    business_id WITH =, mode WITH =, product_offering_id WITH =, assigned_to_type WITH =, assigned_to_id WITH =, occupies WITH &&
  ) WHERE (assigned_to_id IS NOT NULL AND product_offering_id IS NOT NULL);
CREATE INDEX licenses_assignee ON licenses (business_id, mode, assigned_to_type, assigned_to_id) WHERE assigned_to_id IS NOT NULL;
CREATE INDEX licenses_due ON licenses (pending_status_at) WHERE pending_status IS NOT NULL;
CREATE INDEX licenses_starting ON licenses (valid_from) WHERE status = 'PENDING';
CREATE INDEX licenses_metadata ON licenses USING gin (business_id, mode, metadata jsonb_path_ops);

-- License keys. A binding repeats what its license occupies and follows it, so that the database itself refuses two current
-- licenses on one key.

ALTER TABLE license_keys
  ADD CONSTRAINT license_keys_activations CHECK (activations_used >= 0 AND activations_limit > 0),
  ADD CONSTRAINT license_keys_disabled CHECK ((status = 'DISABLED') = (disabled_at IS NOT NULL));
ALTER TABLE license_key_bindings
  ADD COLUMN occupies tstzrange NOT NULL,
  ADD FOREIGN KEY (business_id, mode, license_key_id) REFERENCES license_keys (business_id, mode, id),
  ADD FOREIGN KEY (business_id, mode, license_id, occupies) REFERENCES licenses (business_id, mode, id, occupies) ON UPDATE CASCADE,
  ADD CONSTRAINT license_key_bindings_one_current EXCLUDE USING gist (
    business_id WITH =, mode WITH =, license_key_id WITH =, occupies WITH &&
  );

CREATE FUNCTION license_key_binding_occupies() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  SELECT l.occupies INTO NEW.occupies FROM licenses l
    WHERE l.business_id = NEW.business_id AND l.mode = NEW.mode AND l.id = NEW.license_id;
  RETURN NEW;
END $$;
CREATE TRIGGER license_key_bindings_occupies BEFORE INSERT ON license_key_bindings
  FOR EACH ROW EXECUTE FUNCTION license_key_binding_occupies();

-- Grants.

ALTER TABLE grants
  ADD CONSTRAINT grants_delivered CHECK (delivered_at >= created_at),
  ADD CONSTRAINT grants_delivered_key CHECK (integration_type <> 'LICENSE_KEY' OR status <> 'DELIVERED' OR license_key_id IS NOT NULL),
  ADD CONSTRAINT grants_revoked CHECK ((status = 'REVOKED') = (revoked_at IS NOT NULL) AND num_nonnulls(revoked_at, revocation_reason) <> 1),
  -- The causes that may end, the oldest of which is the reason; a final reason stands alone.
  ADD CONSTRAINT grants_revocation_causes CHECK (revocation_causes IS NOT NULL
    AND (revocation_causes = '{}') = coalesce(revocation_reason IN ('MANUAL', 'LICENSE_CANCELLED', 'REFUND', 'PLAN_CHANGED'), true)
    AND (revocation_causes = '{}' OR revocation_causes[1] = revocation_reason::text)),
  -- What failed and is taken back for a while still knows why, for when it comes back.
  ADD CONSTRAINT grants_failed CHECK (CASE WHEN status = 'FAILED' THEN error_code IS NOT NULL
    ELSE error_code IS NULL OR (status = 'REVOKED' AND status_before_revocation IS NOT DISTINCT FROM 'FAILED') END),
  ADD CONSTRAINT grants_claim CHECK (num_nonnulls(claimed_by, claimed_until) <> 1);
-- One grant for each entitlement and license, beside those that were taken back for good.
CREATE UNIQUE INDEX grants_one_per_license ON grants (business_id, mode, license_id, entitlement_id)
  WHERE license_id IS NOT NULL
    AND (revocation_reason IS NULL OR revocation_reason NOT IN ('MANUAL', 'LICENSE_CANCELLED', 'REFUND', 'PLAN_CHANGED'));
-- One key has one grant that delivered it.
CREATE UNIQUE INDEX grants_one_per_key ON grants (business_id, mode, license_key_id) WHERE license_key_id IS NOT NULL;
-- The fulfillment desk's queue.
CREATE INDEX grants_pending ON grants (business_id, mode, created_at, id) WHERE status = 'PENDING';
CREATE INDEX grants_pending_due ON grants (business_id, mode, (coalesce(due_at, 'infinity'::timestamptz)), id) WHERE status = 'PENDING';
CREATE INDEX grants_metadata ON grants USING gin (business_id, mode, metadata jsonb_path_ops);
CREATE INDEX deliveries_to_enqueue ON deliveries (created_at) WHERE enqueued_at IS NULL AND status = 'QUEUED';

-- The ledger: double entry, append-only. A transfer names both accounts, so it balances by construction; its currency is
-- part of both foreign keys; its wallet side keeps the running balance. A wallet's balance is, by foreign key, what its last
-- transfer left, and each transfer starts, by foreign key, where the one before ended: balance = sum of transfers.

CREATE UNIQUE INDEX wallets_one_default ON wallets (business_id, mode, customer_id, brand_id, currency) WHERE is_default;
CREATE UNIQUE INDEX ledger_accounts_business_kind ON ledger_accounts (business_id, mode, kind, currency) WHERE wallet_id IS NULL;
ALTER TABLE ledger_accounts
  ADD FOREIGN KEY (business_id) REFERENCES businesses (id),
  ADD FOREIGN KEY (business_id, mode, wallet_id) REFERENCES wallets (business_id, mode, id),
  ADD CONSTRAINT ledger_accounts_wallet CHECK ((kind = 'WALLET') = (wallet_id IS NOT NULL) AND (wallet_id IS NULL OR wallet_id = id));
ALTER TABLE ledger_transactions ADD FOREIGN KEY (business_id, mode, order_id) REFERENCES orders (business_id, mode, id);
ALTER TABLE ledger_transfers
  ADD FOREIGN KEY (business_id, mode, transaction_id) REFERENCES ledger_transactions (business_id, mode, id),
  ADD FOREIGN KEY (business_id, mode, debit_account_id, currency) REFERENCES ledger_accounts (business_id, mode, id, currency),
  ADD FOREIGN KEY (business_id, mode, credit_account_id, currency) REFERENCES ledger_accounts (business_id, mode, id, currency),
  ADD FOREIGN KEY (business_id, mode, wallet_id) REFERENCES wallets (business_id, mode, id),
  ADD CONSTRAINT ledger_transfers_amount CHECK (amount_minor > 0),
  ADD CONSTRAINT ledger_transfers_two_accounts CHECK (debit_account_id <> credit_account_id),
  ADD CONSTRAINT ledger_transfers_sequence CHECK (wallet_sequence > 0 AND (wallet_sequence > 1 OR balance_before_minor = 0)),
  ADD CONSTRAINT ledger_transfers_wallet_side CHECK (
    CASE WHEN is_credit THEN credit_account_id = wallet_id AND balance_after_minor = balance_before_minor + amount_minor
         ELSE debit_account_id = wallet_id AND balance_after_minor = balance_before_minor - amount_minor END),
  ADD CONSTRAINT ledger_transfers_balance CHECK (balance_before_minor >= 0 AND balance_after_minor >= 0),
  ADD COLUMN previous_sequence bigint GENERATED ALWAYS AS (nullif(wallet_sequence - 1, 0)) STORED,
  ADD FOREIGN KEY (business_id, mode, wallet_id, previous_sequence, balance_before_minor)
    REFERENCES ledger_transfers (business_id, mode, wallet_id, wallet_sequence, balance_after_minor);
CREATE UNIQUE INDEX ledger_transfers_sequence_key ON ledger_transfers (business_id, mode, wallet_id, wallet_sequence);
ALTER TABLE wallets
  ADD CONSTRAINT wallets_balance CHECK (balance_minor >= 0 AND (ledger_sequence IS NOT NULL OR balance_minor = 0)),
  ADD CONSTRAINT wallets_last_transfer FOREIGN KEY (business_id, mode, id, ledger_sequence, balance_minor)
    REFERENCES ledger_transfers (business_id, mode, wallet_id, wallet_sequence, balance_after_minor);

CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION '% is append-only: % refused', TG_TABLE_NAME, TG_OP USING ERRCODE = 'restrict_violation';
END $$;
CREATE TRIGGER ledger_transfers_append_only BEFORE UPDATE OR DELETE ON ledger_transfers
  FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER ledger_transfers_no_truncate BEFORE TRUNCATE ON ledger_transfers
  FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER ledger_transactions_append_only BEFORE UPDATE OR DELETE ON ledger_transactions
  FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER ledger_transactions_no_truncate BEFORE TRUNCATE ON ledger_transactions
  FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
-- A wallet steps from its last transfer to the next one, never back to an earlier one or to none.
CREATE TRIGGER wallets_ledger_forward BEFORE UPDATE ON wallets FOR EACH ROW
  WHEN (NEW.ledger_sequence IS DISTINCT FROM OLD.ledger_sequence
    AND NEW.ledger_sequence IS DISTINCT FROM coalesce(OLD.ledger_sequence, 0) + 1)
  EXECUTE FUNCTION refuse_change();

-- Orders.

ALTER TABLE orders ADD CONSTRAINT orders_total CHECK (total_minor >= 0);
ALTER TABLE order_lines
  ADD CONSTRAINT order_lines_amounts CHECK (unit_amount_minor >= 0 AND total_minor >= 0),
  ADD CONSTRAINT order_lines_quantity CHECK (quantity BETWEEN 1 AND 100);

-- The outbox.

CREATE INDEX changes_to_relay ON changes (created_at) WHERE position IS NULL;
CREATE UNIQUE INDEX changes_position_key ON changes (business_id, mode, position);
CREATE INDEX changes_object ON changes (business_id, mode, object_id, sequence, id);
CREATE INDEX idempotency_records_expiry ON idempotency_records (expires_at) WHERE expires_at IS NOT NULL;
