-- An order's wallet is looked for with the commit, when its own transaction has debited it. Looked for at once, orders that come
-- at the same time would share a lock on the wallet's row first; versions of a row that were locked together stay in the way of
-- everybody who reads it, until the next VACUUM: a wallet that is busy would become slower with each purchase.
ALTER TABLE orders ALTER CONSTRAINT orders_business_id_mode_wallet_id_fkey DEFERRABLE INITIALLY DEFERRED;
