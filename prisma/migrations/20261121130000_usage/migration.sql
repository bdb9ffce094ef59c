-- Usage of product keys: what was counted under a usage key, by hour for charts, and the totals of periods that are over.

CREATE TABLE "product_key_usages" (
    "business_id" UUID NOT NULL,
    "mode" "mode" NOT NULL,
    "product_key_id" UUID NOT NULL,
    "period_starts_at" TIMESTAMPTZ(3) NOT NULL,
    "key_hash" BYTEA NOT NULL,
    "period_ends_at" TIMESTAMPTZ(3),
    "amount" BIGINT NOT NULL,
    "given_at" TIMESTAMPTZ(3),
    "occurred_at" TIMESTAMPTZ(3) NOT NULL,
    "consumed" BIGINT NOT NULL,
    "quota" BIGINT,
    "created_at" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "product_key_usages_pkey" PRIMARY KEY ("business_id","mode","product_key_id","period_starts_at","key_hash")
);

CREATE TABLE "product_key_usage_hours" (
    "business_id" UUID NOT NULL,
    "mode" "mode" NOT NULL,
    "product_key_id" UUID NOT NULL,
    "hour" TIMESTAMPTZ(3) NOT NULL,
    "amount" BIGINT NOT NULL,
    "corrected" BIGINT NOT NULL,
    "calls" BIGINT NOT NULL,

    CONSTRAINT "product_key_usage_hours_pkey" PRIMARY KEY ("business_id","mode","product_key_id","hour")
);

CREATE TABLE "product_key_periods" (
    "business_id" UUID NOT NULL,
    "mode" "mode" NOT NULL,
    "product_key_id" UUID NOT NULL,
    "starts_at" TIMESTAMPTZ(3) NOT NULL,
    "ends_at" TIMESTAMPTZ(3) NOT NULL,
    "consumed" BIGINT NOT NULL,
    "quota" BIGINT,
    "over_quota" "over_quota" NOT NULL,
    "closed_at" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "product_key_periods_pkey" PRIMARY KEY ("business_id","mode","product_key_id","starts_at")
);
CREATE INDEX "product_key_usages_period_ends_at_idx" ON "product_key_usages"("period_ends_at");

-- From here on: what the Prisma schema cannot say.

ALTER TABLE product_key_usages
  ADD FOREIGN KEY (business_id, mode, product_key_id) REFERENCES product_key_meters (business_id, mode, id),
  ADD CONSTRAINT product_key_usages_amount CHECK (amount > 0 AND consumed >= amount),
  ADD CONSTRAINT product_key_usages_hash CHECK (octet_length(key_hash) = 32);

-- Room in each page for the next version of the present hour's row, which changes with every use.
ALTER TABLE product_key_usage_hours SET (fillfactor = 70);
ALTER TABLE product_key_usage_hours
  ADD FOREIGN KEY (business_id, mode, product_key_id) REFERENCES product_key_meters (business_id, mode, id),
  ADD CONSTRAINT product_key_usage_hours_counts CHECK (amount >= 0 AND corrected >= 0 AND calls >= 0);

ALTER TABLE product_key_periods
  ADD FOREIGN KEY (business_id, mode, product_key_id) REFERENCES product_key_meters (business_id, mode, id),
  ADD CONSTRAINT product_key_periods_window CHECK (ends_at > starts_at),
  ADD CONSTRAINT product_key_periods_counts CHECK (consumed >= 0 AND quota >= 0);
