-- License keys as objects of their own: every text that a business knows in one table of look-up values, superseded texts,
-- pools of keys, patterns by which products' keys are made.

ALTER TYPE "license_key_source" ADD VALUE 'IMPORTED';
ALTER TYPE "license_key_source" ADD VALUE 'POOL';

ALTER TABLE "license_keys"
  ADD COLUMN "disabled_reason" TEXT,
  ADD COLUMN "metadata" JSONB NOT NULL DEFAULT '{}';

CREATE TABLE "license_key_rotations" (
    "business_id" UUID NOT NULL,
    "mode" "mode" NOT NULL,
    "id" UUID NOT NULL,
    "license_key_id" UUID NOT NULL,
    "key_ciphertext" BYTEA NOT NULL,
    "last4" TEXT NOT NULL,
    "grace_until" TIMESTAMPTZ(3) NOT NULL,
    "created_at" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "license_key_rotations_pkey" PRIMARY KEY ("business_id","mode","id")
);

CREATE TABLE "license_key_pools" (
    "business_id" UUID NOT NULL,
    "id" UUID NOT NULL,
    "name" TEXT NOT NULL,
    "product_id" UUID,
    "low_stock_threshold" INTEGER NOT NULL,
    "version" INTEGER NOT NULL DEFAULT 1,
    "created_at" TIMESTAMPTZ(3) NOT NULL,
    "updated_at" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "license_key_pools_pkey" PRIMARY KEY ("business_id","id")
);

CREATE TABLE "license_key_pool_keys" (
    "business_id" UUID NOT NULL,
    "mode" "mode" NOT NULL,
    "id" UUID NOT NULL,
    "pool_id" UUID NOT NULL,
    "key_ciphertext" BYTEA NOT NULL,
    "last4" TEXT NOT NULL,
    "drawn_at" TIMESTAMPTZ(3),
    "created_at" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "license_key_pool_keys_pkey" PRIMARY KEY ("business_id","mode","id")
);

CREATE TABLE "license_key_pool_levels" (
    "business_id" UUID NOT NULL,
    "mode" "mode" NOT NULL,
    "pool_id" UUID NOT NULL,
    "low_since" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "license_key_pool_levels_pkey" PRIMARY KEY ("business_id","mode","pool_id")
);

CREATE TABLE "license_key_lookups" (
    "business_id" UUID NOT NULL,
    "mode" "mode" NOT NULL,
    "key_hmac" BYTEA NOT NULL,
    "hmac_key_id" TEXT NOT NULL,
    "license_key_id" UUID,
    "rotation_id" UUID,
    "pool_key_id" UUID,

    CONSTRAINT "license_key_lookups_pkey" PRIMARY KEY ("business_id","mode","key_hmac")
);

ALTER TABLE "deliveries" ADD COLUMN "license_key_id" UUID;
ALTER TABLE "entitlements" ADD COLUMN "license_key_pool_id" UUID;
ALTER TABLE "products"
  ADD COLUMN "key_pattern" JSONB,
  ADD COLUMN "key_prefix_is_exclusive" BOOLEAN NOT NULL DEFAULT false;

CREATE INDEX "license_keys_business_id_mode_created_at_id_idx" ON "license_keys"("business_id", "mode", "created_at", "id");
CREATE INDEX "license_keys_business_id_mode_customer_id_created_at_id_idx" ON "license_keys"("business_id", "mode", "customer_id", "created_at", "id");
CREATE INDEX "license_keys_business_id_mode_last4_idx" ON "license_keys"("business_id", "mode", "last4");
CREATE INDEX "license_key_rotations_business_id_mode_license_key_id_idx" ON "license_key_rotations"("business_id", "mode", "license_key_id");
CREATE UNIQUE INDEX "license_key_pools_business_id_name_key" ON "license_key_pools"("business_id", "name");
CREATE INDEX "license_key_pools_business_id_created_at_id_idx" ON "license_key_pools"("business_id", "created_at", "id");
CREATE INDEX "license_key_lookups_hmac_key_id_idx" ON "license_key_lookups"("hmac_key_id");
CREATE INDEX "deliveries_business_id_mode_license_key_id_idx" ON "deliveries"("business_id", "mode", "license_key_id");

-- From here on: what the Prisma schema cannot say.

ALTER TABLE license_keys ADD CONSTRAINT license_keys_disabled_reason CHECK (disabled_reason IS NULL OR status = 'DISABLED');
ALTER TABLE license_key_rotations
  ADD FOREIGN KEY (business_id, mode, license_key_id) REFERENCES license_keys (business_id, mode, id),
  ADD CONSTRAINT license_key_rotations_grace CHECK (grace_until >= created_at);
ALTER TABLE license_key_pools
  ADD FOREIGN KEY (business_id) REFERENCES businesses (id),
  ADD CONSTRAINT license_key_pools_product FOREIGN KEY (business_id, product_id) REFERENCES products (business_id, id),
  ADD CONSTRAINT license_key_pools_threshold CHECK (low_stock_threshold >= 0);
ALTER TABLE license_key_pool_keys
  ADD FOREIGN KEY (business_id, pool_id) REFERENCES license_key_pools (business_id, id);
ALTER TABLE license_key_pool_levels
  ADD FOREIGN KEY (business_id, pool_id) REFERENCES license_key_pools (business_id, id);
-- What may be drawn, the oldest first.
CREATE INDEX license_key_pool_keys_available ON license_key_pool_keys (business_id, mode, pool_id, id) WHERE drawn_at IS NULL;
CREATE INDEX license_key_pool_keys_pool ON license_key_pool_keys (business_id, mode, pool_id);

-- Every text that a business knows: the present one of a key, superseded ones, those that wait in pools; a row for each secret
-- under which it can be found. The primary key alone keeps two writers of one text apart, whatever they want it for and
-- whichever secrets they know, as long as they share one. Deferred, so that a text is claimed before its key is written.
ALTER TABLE license_key_lookups
  ADD FOREIGN KEY (business_id, mode, license_key_id) REFERENCES license_keys (business_id, mode, id) DEFERRABLE INITIALLY DEFERRED,
  ADD FOREIGN KEY (business_id, mode, rotation_id) REFERENCES license_key_rotations (business_id, mode, id) DEFERRABLE INITIALLY DEFERRED,
  ADD FOREIGN KEY (business_id, mode, pool_key_id) REFERENCES license_key_pool_keys (business_id, mode, id) DEFERRABLE INITIALLY DEFERRED,
  ADD CONSTRAINT license_key_lookups_one_text CHECK (coalesce(license_key_id, pool_key_id) IS NOT NULL
    -- A drawn key keeps the id that it had in its pool.
    AND (pool_key_id IS NULL OR license_key_id IS NULL OR license_key_id = pool_key_id)
    AND (rotation_id IS NULL OR license_key_id IS NOT NULL));
CREATE UNIQUE INDEX license_key_lookups_text ON license_key_lookups
  (business_id, mode, (coalesce(rotation_id, license_key_id, pool_key_id)), hmac_key_id);
INSERT INTO license_key_lookups (business_id, mode, key_hmac, hmac_key_id, license_key_id)
  SELECT business_id, mode, key_hmac, hmac_key_id, id FROM license_keys;
DROP INDEX "license_keys_business_id_mode_customer_id_idx";
ALTER TABLE license_keys DROP COLUMN key_hmac, DROP COLUMN key_hmac_next, DROP COLUMN hmac_key_id;

ALTER TABLE deliveries ADD FOREIGN KEY (business_id, mode, license_key_id) REFERENCES license_keys (business_id, mode, id);
ALTER TABLE entitlements
  ADD CONSTRAINT entitlements_license_key_pool FOREIGN KEY (business_id, license_key_pool_id) REFERENCES license_key_pools (business_id, id),
  ADD CONSTRAINT entitlements_pool CHECK (license_key_pool_id IS NULL OR fulfillment_mode = 'AUTO');
-- A prefix is one product's. Also the list of the business's patterns.
CREATE UNIQUE INDEX products_key_prefix ON products (business_id, (key_pattern ->> 'prefix')) WHERE key_pattern IS NOT NULL;
