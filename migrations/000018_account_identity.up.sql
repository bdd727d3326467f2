-- Who an account is for an OpenID Connect provider. The provider's own number
-- for a person decides, never an address that may change hands.
CREATE TABLE account_identity (
  issuer     text NOT NULL,
  subject    text NOT NULL,
  account_id bigint NOT NULL REFERENCES account,
  linked_at  timestamptz NOT NULL,
  PRIMARY KEY (issuer, subject),
  CONSTRAINT account_identity_length_check CHECK (char_length(issuer) BETWEEN 1 AND 500 AND char_length(subject) BETWEEN 1 AND 255)
);
CREATE INDEX account_identity_account ON account_identity (account_id);

-- Sign-ins by a provider that have succeeded: the same answer of the provider
-- does not open a second session.
CREATE TABLE provider_sign_in (
  state_hash text PRIMARY KEY,
  at         timestamptz NOT NULL
);
CREATE INDEX provider_sign_in_at ON provider_sign_in (at);

DO $$
BEGIN
  IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'landmark_app') THEN
    GRANT SELECT, INSERT, DELETE ON account_identity, provider_sign_in TO landmark_app;
  END IF;
END $$;

INSERT INTO schema_marker (version) VALUES (18);
