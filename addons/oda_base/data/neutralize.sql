-- A copy of the database must not be reachable with the real tokens.
UPDATE oda_connector_account SET active = false, secret_sealed = NULL;
