-- License files: the keys that they are signed with, until when devices may run on them, and the list of what was revoked since.

CREATE TABLE "signing_keys" (
    "business_id" UUID NOT NULL,
    "mode" "mode" NOT NULL,
    "id" UUID NOT NULL,
    "public_key" TEXT NOT NULL,
    "key_ciphertext" BYTEA,
    "published_until" TIMESTAMPTZ(3) NOT NULL,
    "retired_at" TIMESTAMPTZ(3),
    "version" INTEGER NOT NULL DEFAULT 1,
    "created_at" TIMESTAMPTZ(3) NOT NULL,
    "updated_at" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "signing_keys_pkey" PRIMARY KEY ("business_id","mode","id")
);

CREATE TABLE "license_file_holds" (
    "business_id" UUID NOT NULL,
    "mode" "mode" NOT NULL,
    "license_key_id" UUID NOT NULL,
    "subject_id" UUID NOT NULL,
    "offline_until" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "license_file_holds_pkey" PRIMARY KEY ("business_id","mode","license_key_id","subject_id")
);

CREATE TABLE "revocation_lists" (
    "business_id" UUID NOT NULL,
    "mode" "mode" NOT NULL,
    "version" BIGINT NOT NULL,

    CONSTRAINT "revocation_lists_pkey" PRIMARY KEY ("business_id","mode")
);

CREATE TABLE "license_revocations" (
    "business_id" UUID NOT NULL,
    "mode" "mode" NOT NULL,
    "subject_id" UUID NOT NULL,
    "is_revoked" BOOLEAN NOT NULL,
    "version" BIGINT NOT NULL,

    CONSTRAINT "license_revocations_pkey" PRIMARY KEY ("business_id","mode","subject_id")
);

CREATE INDEX "license_file_holds_business_id_mode_offline_until_idx" ON "license_file_holds"("business_id", "mode", "offline_until");
CREATE UNIQUE INDEX "license_revocations_business_id_mode_version_key" ON "license_revocations"("business_id", "mode", "version");

-- From here on: what the Prisma schema cannot say.

-- A retired key signs nothing any more, so its private half is gone.
ALTER TABLE signing_keys
  ADD FOREIGN KEY (business_id) REFERENCES businesses (id),
  ADD CONSTRAINT signing_keys_private CHECK ((key_ciphertext IS NULL) = (retired_at IS NOT NULL));
CREATE UNIQUE INDEX signing_keys_current ON signing_keys (business_id, mode) WHERE retired_at IS NULL;
ALTER TABLE license_file_holds
  ADD FOREIGN KEY (business_id, mode, license_key_id) REFERENCES license_keys (business_id, mode, id);
ALTER TABLE revocation_lists
  ADD FOREIGN KEY (business_id) REFERENCES businesses (id),
  ADD CONSTRAINT revocation_lists_version CHECK (version >= 0);
ALTER TABLE license_revocations
  ADD FOREIGN KEY (business_id, mode) REFERENCES revocation_lists (business_id, mode);
CREATE INDEX license_revocations_revoked ON license_revocations (business_id, mode, version) WHERE is_revoked;
