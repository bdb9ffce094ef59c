-- Discounts: rules that lower a price, the codes that they are asked for by, and what was redeemed.

CREATE TABLE "discounts" (
    "business_id" UUID NOT NULL,
    "mode" "mode" NOT NULL,
    "id" UUID NOT NULL,
    "code" TEXT NOT NULL,
    "name" TEXT,
    "description" TEXT,
    "percent_basis_points" INTEGER,
    "amounts_minor" JSONB NOT NULL,
    "minimum_spends_minor" JSONB NOT NULL,
    "product_ids" UUID[],
    "package_ids" UUID[],
    "product_offering_ids" UUID[],
    "customer_ids" UUID[],
    "starts_at" TIMESTAMPTZ(3),
    "expires_at" TIMESTAMPTZ(3),
    "usage_limit" INTEGER,
    "used_count" INTEGER NOT NULL DEFAULT 0,
    "usage_limit_per_customer" INTEGER,
    "is_combinable" BOOLEAN NOT NULL,
    "stacking_order" INTEGER NOT NULL,
    "metadata" JSONB NOT NULL,
    "archived_at" TIMESTAMPTZ(3),
    "version" INTEGER NOT NULL DEFAULT 1,
    "created_at" TIMESTAMPTZ(3) NOT NULL,
    "updated_at" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "discounts_pkey" PRIMARY KEY ("business_id","mode","id")
);

CREATE INDEX "discounts_business_id_mode_created_at_id_idx" ON "discounts"("business_id", "mode", "created_at", "id");

CREATE TABLE "discount_codes" (
    "business_id" UUID NOT NULL,
    "mode" "mode" NOT NULL,
    "id" UUID NOT NULL,
    "discount_id" UUID NOT NULL,
    "batch_id" UUID,
    "code" TEXT NOT NULL,
    "code_key" TEXT NOT NULL,
    "usage_limit" INTEGER,
    "used_count" INTEGER NOT NULL DEFAULT 0,
    "created_at" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "discount_codes_pkey" PRIMARY KEY ("business_id","mode","id")
);

CREATE UNIQUE INDEX "discount_codes_business_id_mode_code_key_key" ON "discount_codes"("business_id", "mode", "code_key");

CREATE INDEX "discount_codes_business_id_mode_discount_id_created_at_id_idx" ON "discount_codes"("business_id", "mode", "discount_id", "created_at", "id");

CREATE TABLE "discount_customer_uses" (
    "business_id" UUID NOT NULL,
    "mode" "mode" NOT NULL,
    "discount_id" UUID NOT NULL,
    "customer_id" UUID NOT NULL,
    "used_count" INTEGER NOT NULL,

    CONSTRAINT "discount_customer_uses_pkey" PRIMARY KEY ("business_id","mode","discount_id","customer_id")
);

CREATE TABLE "discount_redemptions" (
    "business_id" UUID NOT NULL,
    "mode" "mode" NOT NULL,
    "id" UUID NOT NULL,
    "discount_id" UUID NOT NULL,
    "discount_code_id" UUID NOT NULL,
    "customer_id" UUID NOT NULL,
    "order_id" UUID NOT NULL,
    "position" INTEGER NOT NULL,
    "currency" TEXT NOT NULL,
    "amount_minor" BIGINT NOT NULL,
    "created_at" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "discount_redemptions_pkey" PRIMARY KEY ("business_id","mode","id")
);

CREATE UNIQUE INDEX "discount_redemptions_business_id_mode_order_id_discount_id_key" ON "discount_redemptions"("business_id", "mode", "order_id", "discount_id");

CREATE INDEX "discount_redemptions_business_id_mode_discount_id_created_a_idx" ON "discount_redemptions"("business_id", "mode", "discount_id", "created_at", "id");

CREATE INDEX "discount_redemptions_business_id_mode_customer_id_created_a_idx" ON "discount_redemptions"("business_id", "mode", "customer_id", "created_at", "id");

CREATE INDEX "discount_redemptions_business_id_mode_discount_code_id_idx" ON "discount_redemptions"("business_id", "mode", "discount_code_id");

ALTER TABLE "order_lines" ADD COLUMN "discount_minor" BIGINT NOT NULL DEFAULT 0;

ALTER TABLE "licenses" ADD COLUMN "discount_minor" BIGINT;

-- ---------------------------------------------------------------------------------------------------------------------
-- From here on: what the Prisma schema cannot say.
-- ---------------------------------------------------------------------------------------------------------------------

ALTER TABLE discounts
  ADD FOREIGN KEY (business_id) REFERENCES businesses (id),
  ADD CONSTRAINT discounts_percent CHECK (percent_basis_points BETWEEN 1 AND 10000),
  -- One of the two: a percentage, or an amount in at least one currency.
  ADD CONSTRAINT discounts_kind CHECK ((percent_basis_points IS NULL) = (amounts_minor <> '{}')),
  ADD CONSTRAINT discounts_window CHECK (expires_at > starts_at),
  ADD CONSTRAINT discounts_used CHECK (used_count >= 0 AND usage_limit > 0 AND used_count <= usage_limit),
  ADD CONSTRAINT discounts_per_customer CHECK (usage_limit_per_customer > 0),
  ADD CONSTRAINT discounts_lists CHECK (num_nulls(product_ids, package_ids, product_offering_ids, customer_ids) = 0),
  ADD COLUMN sort_code text GENERATED ALWAYS AS (lower(code)) STORED;
CREATE INDEX discounts_code ON discounts (business_id, mode, sort_code, id);
-- Those without an end come last.
CREATE INDEX discounts_expires_at ON discounts (business_id, mode, (coalesce(expires_at, 'infinity'::timestamptz)), id);
CREATE INDEX discounts_search ON discounts USING gin (business_id, mode, lower(code || ' ' || coalesce(name, '')) gin_trgm_ops);
CREATE INDEX discounts_metadata ON discounts USING gin (business_id, mode, metadata jsonb_path_ops);
CREATE INDEX discounts_customers ON discounts USING gin (business_id, mode, customer_ids) WHERE customer_ids <> '{}';

-- What a discount is limited to are lists of ids, read with it in one row; this is their foreign key. Nothing that they point to
-- is ever deleted.
CREATE FUNCTION refuse_unknown_discount_ids() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF EXISTS (SELECT FROM unnest(NEW.product_ids) n WHERE NOT EXISTS (
       SELECT FROM products WHERE business_id = NEW.business_id AND id = n))
    OR EXISTS (SELECT FROM unnest(NEW.package_ids) n WHERE NOT EXISTS (
       SELECT FROM packages WHERE business_id = NEW.business_id AND id = n))
    OR EXISTS (SELECT FROM unnest(NEW.product_offering_ids) n WHERE NOT EXISTS (
       SELECT FROM product_offerings WHERE business_id = NEW.business_id AND id = n))
    OR EXISTS (SELECT FROM unnest(NEW.customer_ids) n WHERE NOT EXISTS (
       SELECT FROM customers WHERE business_id = NEW.business_id AND mode = NEW.mode AND id = n)) THEN
    RAISE EXCEPTION 'discount % is limited to something that its business does not have', NEW.id USING ERRCODE = 'foreign_key_violation';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER discounts_ids BEFORE INSERT OR UPDATE OF product_ids, package_ids, product_offering_ids, customer_ids ON discounts
  FOR EACH ROW EXECUTE FUNCTION refuse_unknown_discount_ids();

ALTER TABLE discount_codes
  ADD FOREIGN KEY (business_id, mode, discount_id) REFERENCES discounts (business_id, mode, id),
  ADD CONSTRAINT discount_codes_used CHECK (used_count >= 0 AND usage_limit > 0 AND used_count <= usage_limit);
-- A discount has one code of its own; the others were generated together.
CREATE UNIQUE INDEX discount_codes_own ON discount_codes (business_id, mode, discount_id) WHERE batch_id IS NULL;
CREATE INDEX discount_codes_batch ON discount_codes (business_id, mode, batch_id, id) WHERE batch_id IS NOT NULL;

ALTER TABLE discount_customer_uses
  ADD FOREIGN KEY (business_id, mode, discount_id) REFERENCES discounts (business_id, mode, id),
  ADD FOREIGN KEY (business_id, mode, customer_id) REFERENCES customers (business_id, mode, id),
  ADD CONSTRAINT discount_customer_uses_used CHECK (used_count > 0);

-- What was redeemed keeps its amount for ever, whatever becomes of the discount.
ALTER TABLE discount_redemptions
  ADD FOREIGN KEY (business_id, mode, discount_id) REFERENCES discounts (business_id, mode, id),
  ADD FOREIGN KEY (business_id, mode, discount_code_id) REFERENCES discount_codes (business_id, mode, id),
  ADD FOREIGN KEY (business_id, mode, customer_id) REFERENCES customers (business_id, mode, id),
  ADD FOREIGN KEY (business_id, mode, order_id) REFERENCES orders (business_id, mode, id),
  ADD CONSTRAINT discount_redemptions_amount CHECK (amount_minor > 0),
  ADD CONSTRAINT discount_redemptions_position CHECK (position > 0);
CREATE TRIGGER discount_redemptions_append_only BEFORE UPDATE OR DELETE ON discount_redemptions
  FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER discount_redemptions_no_truncate BEFORE TRUNCATE ON discount_redemptions
  FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

ALTER TABLE order_lines ADD CONSTRAINT order_lines_discount
  CHECK (discount_minor >= 0 AND total_minor = unit_amount_minor * quantity - discount_minor);
ALTER TABLE licenses ADD CONSTRAINT licenses_discount
  CHECK (discount_minor IS NULL OR (amount_minor IS NOT NULL AND discount_minor BETWEEN 0 AND amount_minor));
