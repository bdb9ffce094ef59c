-- The whole catalog: versions of products, revisions of offerings, archived prices, search and metadata in every list, and
-- what a business leaves to its defaults.

ALTER TYPE "product_offering_status" ADD VALUE 'SUPERSEDED';

ALTER TABLE "businesses"
  ADD COLUMN "default_currency" TEXT,
  ADD COLUMN "default_locale" TEXT;

CREATE TABLE "product_versions" (
    "business_id" UUID NOT NULL,
    "id" UUID NOT NULL,
    "product_id" UUID NOT NULL,
    "name" TEXT NOT NULL,
    "description" TEXT,
    "published_at" TIMESTAMPTZ(3),
    "metadata" JSONB NOT NULL,
    "archived_at" TIMESTAMPTZ(3),
    "version" INTEGER NOT NULL DEFAULT 1,
    "created_at" TIMESTAMPTZ(3) NOT NULL,
    "updated_at" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "product_versions_pkey" PRIMARY KEY ("business_id","id")
);
CREATE UNIQUE INDEX "product_versions_business_id_product_id_name_key" ON "product_versions"("business_id", "product_id", "name");
CREATE INDEX "product_versions_business_id_product_id_created_at_id_idx" ON "product_versions"("business_id", "product_id", "created_at", "id");
ALTER TABLE product_versions
  ADD FOREIGN KEY (business_id, product_id) REFERENCES products (business_id, id),
  ADD CONSTRAINT product_versions_archived CHECK (num_nonnulls(archived_at, published_at) < 2);
-- In the order of publication, what is not public as the newest; and the public ones, of which one is the newest.
CREATE INDEX product_versions_publication ON product_versions (business_id, product_id, coalesce(published_at, 'infinity'::timestamptz), id);
CREATE INDEX product_versions_public ON product_versions (business_id, product_id, published_at, id)
  WHERE published_at IS NOT NULL;
CREATE INDEX product_versions_metadata ON product_versions USING gin (business_id, metadata jsonb_path_ops);

-- Revisions. An offering is superseded once at most.

ALTER TABLE "product_offerings"
  ADD COLUMN "revision" INTEGER NOT NULL DEFAULT 1,
  ADD COLUMN "supersedes_id" UUID;
CREATE UNIQUE INDEX "product_offerings_business_id_supersedes_id_key" ON "product_offerings"("business_id", "supersedes_id");
DROP INDEX "product_offerings_business_id_product_id_idx";
CREATE INDEX "product_offerings_business_id_product_id_created_at_id_idx" ON "product_offerings"("business_id", "product_id", "created_at", "id");
ALTER TABLE product_offerings
  ADD FOREIGN KEY (business_id, supersedes_id) REFERENCES product_offerings (business_id, id),
  ADD CONSTRAINT product_offerings_revision CHECK (revision > 0 AND (revision = 1) = (supersedes_id IS NULL));
CREATE INDEX licenses_pending_offering_of ON licenses (business_id, pending_offering_id) WHERE pending_offering_id IS NOT NULL;

-- What was sold never changes, whoever writes: the terms of an offering that a license has or will have, and the product of a
-- package that a license is of.

CREATE FUNCTION refuse_changing_sold_offering() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF EXISTS (SELECT 1 FROM licenses WHERE business_id = OLD.business_id AND mode = ANY (enum_range(NULL::mode)) AND product_offering_id = OLD.id)
    OR EXISTS (SELECT 1 FROM licenses WHERE business_id = OLD.business_id AND pending_offering_id = OLD.id) THEN
    RAISE EXCEPTION 'the terms of product offering % were sold and never change', OLD.id USING ERRCODE = 'restrict_violation';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER product_offerings_sold BEFORE UPDATE ON product_offerings FOR EACH ROW
  WHEN ((OLD.product_id, OLD.name, OLD.description, OLD.license_type, OLD.price_minor, OLD.currency, OLD.billing_period, OLD.bound_months, OLD.revision, OLD.supersedes_id)
    IS DISTINCT FROM (NEW.product_id, NEW.name, NEW.description, NEW.license_type, NEW.price_minor, NEW.currency, NEW.billing_period, NEW.bound_months, NEW.revision, NEW.supersedes_id))
  EXECUTE FUNCTION refuse_changing_sold_offering();

CREATE FUNCTION refuse_changing_sold_package() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF EXISTS (SELECT 1 FROM licenses WHERE business_id = OLD.business_id AND mode = ANY (enum_range(NULL::mode)) AND package_id = OLD.id) THEN
    RAISE EXCEPTION 'package % was sold: its licenses are for its product', OLD.id USING ERRCODE = 'restrict_violation';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER packages_sold BEFORE UPDATE ON packages FOR EACH ROW
  WHEN (OLD.primary_product_id IS DISTINCT FROM NEW.primary_product_id)
  EXECUTE FUNCTION refuse_changing_sold_package();

-- Prices: one for each package, subscription type and currency among those that are not archived.

ALTER TABLE "package_prices" ADD COLUMN "archived_at" TIMESTAMPTZ(3);
DROP INDEX "package_prices_business_id_package_id_subscription_type_id__key";
CREATE UNIQUE INDEX package_prices_one ON package_prices (business_id, package_id, subscription_type_id, currency) WHERE archived_at IS NULL;
CREATE INDEX "package_prices_business_id_package_id_idx" ON "package_prices"("business_id", "package_id");

-- Lists: search, metadata, and an index for every order.

DROP INDEX product_offerings_search;
CREATE INDEX product_offerings_search ON product_offerings USING gin (business_id, lower(name || ' ' || license_type) gin_trgm_ops);
CREATE INDEX subscription_types_search ON subscription_types USING gin (business_id, lower(name) gin_trgm_ops);
CREATE INDEX brands_search ON brands USING gin (business_id, lower(name || ' ' || url) gin_trgm_ops);
CREATE INDEX brands_metadata ON brands USING gin (business_id, metadata jsonb_path_ops);
CREATE INDEX products_metadata ON products USING gin (business_id, metadata jsonb_path_ops);
CREATE INDEX product_offerings_metadata ON product_offerings USING gin (business_id, metadata jsonb_path_ops);
CREATE INDEX packages_metadata ON packages USING gin (business_id, metadata jsonb_path_ops);
CREATE INDEX subscription_types_metadata ON subscription_types USING gin (business_id, metadata jsonb_path_ops);
CREATE INDEX entitlements_metadata ON entitlements USING gin (business_id, metadata jsonb_path_ops);
CREATE INDEX "api_keys_business_id_mode_created_at_id_idx" ON "api_keys"("business_id", "mode", "created_at", "id");
