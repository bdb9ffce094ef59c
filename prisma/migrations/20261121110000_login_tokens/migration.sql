-- Tokens that prove once, to a vendor's service, who the customer is. Only a hash is kept; a row says nothing about a person.

CREATE TABLE "login_tokens" (
    "business_id" UUID NOT NULL,
    "mode" "mode" NOT NULL,
    "id" UUID NOT NULL,
    "customer_id" UUID NOT NULL,
    "product_id" UUID NOT NULL,
    "api_key_id" UUID NOT NULL,
    "token_hash" BYTEA NOT NULL,
    "expires_at" TIMESTAMPTZ(3) NOT NULL,
    "redeemed_at" TIMESTAMPTZ(3),
    "version" INTEGER NOT NULL DEFAULT 1,
    "created_at" TIMESTAMPTZ(3) NOT NULL,
    "updated_at" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "login_tokens_pkey" PRIMARY KEY ("business_id","mode","id")
);

-- The tenant stands first: another vendor's token, one of the other mode and an unknown one are looked for in the same place, and
-- none of them is there.
CREATE UNIQUE INDEX "login_tokens_business_id_mode_token_hash_key" ON "login_tokens"("business_id", "mode", "token_hash");

CREATE INDEX "login_tokens_business_id_mode_customer_id_idx" ON "login_tokens"("business_id", "mode", "customer_id");

CREATE INDEX "login_tokens_expires_at_idx" ON "login_tokens"("expires_at");

ALTER TABLE login_tokens
  ADD FOREIGN KEY (business_id, mode, customer_id) REFERENCES customers (business_id, mode, id),
  ADD FOREIGN KEY (business_id, product_id) REFERENCES products (business_id, id),
  ADD FOREIGN KEY (business_id, api_key_id) REFERENCES api_keys (business_id, id),
  ADD CONSTRAINT login_tokens_hash CHECK (octet_length(token_hash) = 32),
  ADD CONSTRAINT login_tokens_in_time CHECK (redeemed_at < expires_at);
CREATE TRIGGER login_tokens_of_erased AFTER INSERT ON login_tokens
  REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION refuse_erased_customer();
