-- Devices of license keys: one row for each key and fingerprint, which takes a seat until it ends or its lease lapses.

CREATE TYPE "activation_end" AS ENUM ('LAPSED', 'DEACTIVATED');

CREATE TABLE "activations" (
    "business_id" UUID NOT NULL,
    "mode" "mode" NOT NULL,
    "id" UUID NOT NULL,
    "license_key_id" UUID NOT NULL,
    "customer_id" UUID NOT NULL,
    "fingerprint" TEXT NOT NULL,
    "name" TEXT,
    "metadata" JSONB NOT NULL,
    "activated_at" TIMESTAMPTZ(3) NOT NULL,
    "last_seen_at" TIMESTAMPTZ(3) NOT NULL,
    "lease_seconds" INTEGER,
    "lease_until" TIMESTAMPTZ(3),
    "ended_at" TIMESTAMPTZ(3),
    "ended_by" "activation_end",
    "version" INTEGER NOT NULL DEFAULT 1,
    "created_at" TIMESTAMPTZ(3) NOT NULL,
    "updated_at" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "activations_pkey" PRIMARY KEY ("business_id","mode","id")
);

CREATE INDEX "activations_business_id_mode_created_at_id_idx" ON "activations"("business_id", "mode", "created_at", "id");

CREATE INDEX "activations_business_id_mode_customer_id_created_at_id_idx" ON "activations"("business_id", "mode", "customer_id", "created_at", "id");

CREATE UNIQUE INDEX "activations_business_id_mode_license_key_id_fingerprint_key" ON "activations"("business_id", "mode", "license_key_id", "fingerprint");

ALTER TABLE activations
  ADD FOREIGN KEY (business_id, mode, license_key_id) REFERENCES license_keys (business_id, mode, id),
  ADD FOREIGN KEY (business_id, mode, customer_id) REFERENCES customers (business_id, mode, id),
  ADD CONSTRAINT activations_lease CHECK (num_nonnulls(lease_seconds, lease_until) <> 1 AND lease_seconds > 0),
  ADD CONSTRAINT activations_end CHECK (num_nonnulls(ended_at, ended_by) <> 1 AND (ended_by <> 'LAPSED' OR ended_at = lease_until));
CREATE INDEX activations_seated ON activations (business_id, mode, license_key_id, activated_at, id) WHERE ended_at IS NULL;
CREATE INDEX activations_lapsing ON activations (lease_until) WHERE ended_at IS NULL AND lease_until IS NOT NULL;
