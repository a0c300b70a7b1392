-- A copy of the database must not command the real exchange.
UPDATE oda_connector_account SET ari_secret_sealed = NULL, ari_url = NULL;
-- A copy of the database must not ring anybody's phone.
UPDATE oda_connector_account SET moldcell_token_sealed = NULL, moldcell_address = NULL;
