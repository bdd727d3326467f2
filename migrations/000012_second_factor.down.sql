ALTER TABLE account DROP COLUMN recovery_codes, DROP COLUMN totp_step, DROP COLUMN totp_since, DROP COLUMN totp_secret;
DELETE FROM schema_marker WHERE version = 12;
