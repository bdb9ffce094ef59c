-- Changes of offering and renewals: since when billing periods count, what a renewal bought, what settles a change, and how a
-- license finds the one that it renews.

ALTER TYPE "ledger_transaction_kind" ADD VALUE 'PRORATION';

ALTER TABLE "licenses" ADD COLUMN "billing_since" TIMESTAMPTZ(3);
ALTER TABLE "order_lines" ADD COLUMN "product_offering_id" UUID;

ALTER TABLE order_lines
  ADD FOREIGN KEY (business_id, product_offering_id) REFERENCES product_offerings (business_id, id);
CREATE UNIQUE INDEX licenses_renewal_key ON licenses (business_id, mode, renewal_id) WHERE renewal_id IS NOT NULL;
CREATE INDEX licenses_applied ON licenses (business_id, mode, used_by_id, package_id) WHERE used_by_id IS NOT NULL;
