DROP TABLE provider_sign_in;
DROP TABLE account_identity;
DELETE FROM schema_marker WHERE version = 18;
