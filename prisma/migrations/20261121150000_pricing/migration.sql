-- Pricing rules, what is attached to product keys, discounts of product keys, and a statement for each period that is over.

CREATE TYPE "pricing_model" AS ENUM ('FLAT', 'PER_UNIT', 'TIERED', 'VOLUME');

CREATE TYPE "priced_units" AS ENUM ('USAGE', 'OVERAGE');

CREATE TABLE "pricing_rules" (
    "business_id" UUID NOT NULL,
    "mode" "mode" NOT NULL,
    "id" UUID NOT NULL,
    "name" TEXT NOT NULL,
    "description" TEXT,
    "currency" TEXT NOT NULL,
    "model" "pricing_model" NOT NULL,
    "applies_to" "priced_units" NOT NULL,
    "amount_minor" BIGINT,
    "unit_price" TEXT,
    "tiers" JSONB NOT NULL,
    "archived_at" TIMESTAMPTZ(3),
    "version" INTEGER NOT NULL DEFAULT 1,
    "created_at" TIMESTAMPTZ(3) NOT NULL,
    "updated_at" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "pricing_rules_pkey" PRIMARY KEY ("business_id","mode","id")
);

CREATE TABLE "pricing_rule_versions" (
    "business_id" UUID NOT NULL,
    "mode" "mode" NOT NULL,
    "pricing_rule_id" UUID NOT NULL,
    "version" INTEGER NOT NULL,
    "name" TEXT NOT NULL,
    "description" TEXT,
    "currency" TEXT NOT NULL,
    "model" "pricing_model" NOT NULL,
    "applies_to" "priced_units" NOT NULL,
    "amount_minor" BIGINT,
    "unit_price" TEXT,
    "tiers" JSONB NOT NULL,
    "created_at" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "pricing_rule_versions_pkey" PRIMARY KEY ("business_id","mode","pricing_rule_id","version")
);

CREATE TABLE "product_key_pricing_rules" (
    "business_id" UUID NOT NULL,
    "mode" "mode" NOT NULL,
    "id" UUID NOT NULL,
    "product_key_id" UUID NOT NULL,
    "pricing_rule_id" UUID NOT NULL,
    "pricing_rule_version" INTEGER NOT NULL,
    "attached_at" TIMESTAMPTZ(3) NOT NULL,
    "detached_at" TIMESTAMPTZ(3),

    CONSTRAINT "product_key_pricing_rules_pkey" PRIMARY KEY ("business_id","mode","id")
);

CREATE TABLE "product_key_discounts" (
    "business_id" UUID NOT NULL,
    "mode" "mode" NOT NULL,
    "id" UUID NOT NULL,
    "product_key_id" UUID NOT NULL,
    "discount_id" UUID NOT NULL,
    "percent_basis_points" INTEGER,
    "amounts_minor" JSONB NOT NULL,
    "minimum_spends_minor" JSONB NOT NULL,
    "is_combinable" BOOLEAN NOT NULL,
    "stacking_order" INTEGER NOT NULL,
    "attached_at" TIMESTAMPTZ(3) NOT NULL,
    "detached_at" TIMESTAMPTZ(3),

    CONSTRAINT "product_key_discounts_pkey" PRIMARY KEY ("business_id","mode","id")
);

CREATE INDEX "pricing_rules_business_id_mode_created_at_id_idx" ON "pricing_rules"("business_id", "mode", "created_at", "id");
CREATE INDEX "product_key_pricing_rules_business_id_mode_product_key_id_a_idx" ON "product_key_pricing_rules"("business_id", "mode", "product_key_id", "attached_at", "id");
CREATE INDEX "product_key_pricing_rules_business_id_mode_pricing_rule_id__idx" ON "product_key_pricing_rules"("business_id", "mode", "pricing_rule_id", "id");
CREATE INDEX "product_key_discounts_business_id_mode_product_key_id_attac_idx" ON "product_key_discounts"("business_id", "mode", "product_key_id", "attached_at", "id");

ALTER TABLE "product_key_meters" ADD COLUMN "closed_at" TIMESTAMPTZ(3);

ALTER TABLE "discount_redemptions" ALTER COLUMN "order_id" DROP NOT NULL,
ALTER COLUMN "currency" DROP NOT NULL,
ALTER COLUMN "amount_minor" DROP NOT NULL,
ADD COLUMN "product_key_id" UUID;

-- A period that is over becomes a statement: with an id, its owner, and what it costs.
ALTER TABLE "product_key_periods" RENAME TO "product_key_statements";
ALTER TABLE "product_key_statements" DROP CONSTRAINT "product_key_periods_pkey";
ALTER TABLE "product_key_statements" RENAME CONSTRAINT "product_key_periods_window" TO "product_key_statements_window";
ALTER TABLE "product_key_statements" RENAME CONSTRAINT "product_key_periods_counts" TO "product_key_statements_counts";
ALTER TABLE "product_key_statements" ADD COLUMN "id" UUID NOT NULL DEFAULT gen_random_uuid(),
ADD COLUMN "customer_id" UUID,
ADD COLUMN "currency" TEXT,
ADD COLUMN "lines" JSONB NOT NULL DEFAULT '[]',
ADD COLUMN "discounts" JSONB NOT NULL DEFAULT '[]',
ADD COLUMN "subtotal_minor" TEXT NOT NULL DEFAULT '0',
ADD COLUMN "discount_minor" TEXT NOT NULL DEFAULT '0',
ADD COLUMN "total_minor" TEXT NOT NULL DEFAULT '0';
UPDATE product_key_statements s SET customer_id = k.customer_id FROM product_keys k
  WHERE k.business_id = s.business_id AND k.mode = s.mode AND k.id = s.product_key_id;
ALTER TABLE "product_key_statements" ALTER COLUMN "id" DROP DEFAULT,
ALTER COLUMN "customer_id" SET NOT NULL,
ALTER COLUMN "lines" DROP DEFAULT,
ALTER COLUMN "discounts" DROP DEFAULT,
ALTER COLUMN "subtotal_minor" DROP DEFAULT,
ALTER COLUMN "discount_minor" DROP DEFAULT,
ALTER COLUMN "total_minor" DROP DEFAULT,
ADD CONSTRAINT "product_key_statements_pkey" PRIMARY KEY ("business_id","mode","id");

CREATE INDEX "product_key_statements_business_id_mode_closed_at_id_idx" ON "product_key_statements"("business_id", "mode", "closed_at", "id");
CREATE INDEX "product_key_statements_business_id_mode_product_key_id_clos_idx" ON "product_key_statements"("business_id", "mode", "product_key_id", "closed_at", "id");
CREATE INDEX "product_key_statements_business_id_mode_customer_id_closed__idx" ON "product_key_statements"("business_id", "mode", "customer_id", "closed_at", "id");
CREATE UNIQUE INDEX "product_key_statements_business_id_mode_product_key_id_star_key" ON "product_key_statements"("business_id", "mode", "product_key_id", "starts_at");

-- From here on: what the Prisma schema cannot say.

-- What each model has: FLAT an amount, PER_UNIT a unit price, the others tiers.
ALTER TABLE pricing_rules
  ADD FOREIGN KEY (business_id) REFERENCES businesses (id),
  ADD CONSTRAINT pricing_rules_terms CHECK ((model = 'FLAT') = (amount_minor IS NOT NULL)
    AND (model = 'PER_UNIT') = (unit_price IS NOT NULL) AND (model IN ('TIERED', 'VOLUME')) = (tiers <> '[]')),
  ADD CONSTRAINT pricing_rules_applies_to CHECK (model <> 'FLAT' OR applies_to = 'USAGE'),
  ADD CONSTRAINT pricing_rules_amount CHECK (amount_minor >= 0),
  ADD CONSTRAINT pricing_rules_unit_price CHECK (unit_price ~ '^\d{1,10}(\.\d{1,12})?$');
CREATE INDEX pricing_rules_search ON pricing_rules USING gin (business_id, mode, lower(name) gin_trgm_ops);

ALTER TABLE pricing_rule_versions
  ADD FOREIGN KEY (business_id, mode, pricing_rule_id) REFERENCES pricing_rules (business_id, mode, id),
  ADD CONSTRAINT pricing_rule_versions_terms CHECK ((model = 'FLAT') = (amount_minor IS NOT NULL)
    AND (model = 'PER_UNIT') = (unit_price IS NOT NULL) AND (model IN ('TIERED', 'VOLUME')) = (tiers <> '[]'));
CREATE TRIGGER pricing_rule_versions_append_only BEFORE UPDATE OR DELETE ON pricing_rule_versions
  FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER pricing_rule_versions_no_truncate BEFORE TRUNCATE ON pricing_rule_versions
  FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

-- Deferred, so that what is attached to a new product key may be written before the key.
ALTER TABLE product_key_pricing_rules
  ADD FOREIGN KEY (business_id, mode, product_key_id) REFERENCES product_keys (business_id, mode, id) DEFERRABLE INITIALLY DEFERRED,
  ADD FOREIGN KEY (business_id, mode, pricing_rule_id, pricing_rule_version)
    REFERENCES pricing_rule_versions (business_id, mode, pricing_rule_id, version),
  ADD CONSTRAINT product_key_pricing_rules_window CHECK (detached_at >= attached_at);
CREATE UNIQUE INDEX product_key_pricing_rules_once ON product_key_pricing_rules (business_id, mode, product_key_id, pricing_rule_id)
  WHERE detached_at IS NULL;

ALTER TABLE product_key_discounts
  ADD FOREIGN KEY (business_id, mode, product_key_id) REFERENCES product_keys (business_id, mode, id),
  ADD FOREIGN KEY (business_id, mode, id) REFERENCES discount_redemptions (business_id, mode, id),
  ADD CONSTRAINT product_key_discounts_kind CHECK ((percent_basis_points IS NULL) = (amounts_minor <> '{}')),
  ADD CONSTRAINT product_key_discounts_window CHECK (detached_at >= attached_at);
CREATE UNIQUE INDEX product_key_discounts_once ON product_key_discounts (business_id, mode, product_key_id, discount_id)
  WHERE detached_at IS NULL;

-- A discount is redeemed with an order, by an amount, or for a product key, of which each statement has an amount of its own.
ALTER TABLE discount_redemptions
  ADD FOREIGN KEY (business_id, mode, product_key_id) REFERENCES product_keys (business_id, mode, id),
  ADD CONSTRAINT discount_redemptions_target CHECK (num_nonnulls(order_id, product_key_id) = 1
    AND num_nonnulls(order_id, amount_minor, currency) IN (0, 3));

ALTER TABLE product_key_statements
  ADD CONSTRAINT product_key_statements_amounts CHECK (subtotal_minor ~ '^\d+$' AND discount_minor ~ '^\d+$' AND total_minor ~ '^\d+$'),
  ADD CONSTRAINT product_key_statements_total CHECK (total_minor::numeric = subtotal_minor::numeric - discount_minor::numeric),
  ADD CONSTRAINT product_key_statements_currency CHECK ((currency IS NULL) = (lines = '[]'));
CREATE TRIGGER product_key_statements_append_only BEFORE UPDATE OR DELETE ON product_key_statements
  FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER product_key_statements_no_truncate BEFORE TRUNCATE ON product_key_statements
  FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

-- Keys that ended before there were statements get none for their last period.
UPDATE product_key_meters m SET closed_at = coalesce(k.cancelled_at, k.expired_at) FROM product_keys k
  WHERE k.business_id = m.business_id AND k.mode = m.mode AND k.id = m.id AND k.status IN ('CANCELLED', 'EXPIRED');
-- What the closing of periods looks for: not as large as all keys are many, as it leaves out those that have no next period.
CREATE INDEX product_key_meters_open ON product_key_meters (period_ends_at, id) WHERE closed_at IS NULL AND period_ends_at IS NOT NULL;
