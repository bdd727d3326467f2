-- A second factor for an account: an authenticator's secret, and codes for the
-- day the authenticator is lost.
ALTER TABLE account
  ADD COLUMN totp_secret    bytea,                       -- sealed with a key that is not in the database
  ADD COLUMN totp_since     timestamptz,                 -- absent while the secret waits for its first code
  ADD COLUMN totp_step      bigint NOT NULL DEFAULT 0,   -- of 30 s since 1970: the last code taken, as none counts twice
  ADD COLUMN recovery_codes text[] NOT NULL DEFAULT '{}', -- hashes of those not used yet
  ADD CONSTRAINT account_totp_secret_check CHECK (totp_since IS NULL OR totp_secret IS NOT NULL);

INSERT INTO schema_marker (version) VALUES (12);
