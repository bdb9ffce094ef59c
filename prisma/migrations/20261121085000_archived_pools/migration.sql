-- Pools of license keys are archived, and keys that wait in them taken out again.
ALTER TABLE "license_key_pools" ADD COLUMN "archived_at" TIMESTAMPTZ(3);

-- From here on: what the Prisma schema cannot say.

-- The values of what waits in a pool: asked for each key that is taken out, also by the foreign key.
CREATE INDEX license_key_lookups_pool_key ON license_key_lookups (business_id, mode, pool_key_id) WHERE pool_key_id IS NOT NULL;
