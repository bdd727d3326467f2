-- Departments, the accounts that act for them, and what signing in needs.

-- What may only be added: a row once written stays as it is. Grants keep the
-- application's role from trying; this trigger is the second line, and holds
-- for the owner too.
CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION 'table % is append-only', TG_TABLE_NAME USING ERRCODE = 'restrict_violation';
END $$;

CREATE TABLE department (
  id                bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  slug              text NOT NULL,
  name              text NOT NULL,
  sort              int  NOT NULL,                 -- protocol order
  collective        boolean NOT NULL DEFAULT false, -- 各镇街道: all towns together
  sign_off_required boolean NOT NULL DEFAULT false,
  created_at        timestamptz NOT NULL DEFAULT now(),
  CONSTRAINT department_slug_unique UNIQUE (slug),
  CONSTRAINT department_name_unique UNIQUE (name),
  CONSTRAINT department_slug_form_check CHECK (slug ~ '^[a-z0-9]+(-[a-z0-9]+)*$'),
  CONSTRAINT department_name_not_blank_check CHECK (btrim(name) <> '')
);

-- Other names a department is printed under: 桐城委(桐城集团) is 桐城委.
CREATE TABLE department_alias (
  printed       text PRIMARY KEY,
  department_id bigint NOT NULL REFERENCES department
);
CREATE INDEX department_alias_department ON department_alias (department_id);

CREATE TABLE account (
  id                  bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  name                text NOT NULL,                -- typed to sign in
  display_name        text NOT NULL,
  role                text NOT NULL,
  department_id       bigint REFERENCES department,
  password_hash       text NOT NULL,                -- argon2id, parameters inside; '!' matches nothing
  must_change         boolean NOT NULL DEFAULT false,
  demo                boolean NOT NULL DEFAULT false,
  disabled_at         timestamptz,
  created_at          timestamptz NOT NULL,
  password_changed_at timestamptz NOT NULL,
  CONSTRAINT account_name_unique UNIQUE (name),
  CONSTRAINT account_name_form_check CHECK (name ~ '^[a-z0-9][a-z0-9._-]{0,63}$'),
  CONSTRAINT account_display_name_length_check CHECK (char_length(display_name) BETWEEN 1 AND 64),
  CONSTRAINT account_role_check CHECK (role IN ('office', 'reporter', 'leader', 'viewer')),
  CONSTRAINT account_role_department_check
    CHECK (CASE WHEN role IN ('reporter', 'leader') THEN department_id IS NOT NULL
                WHEN role = 'office' THEN department_id IS NULL ELSE true END)
);

-- A session is never deleted while it could come back: revoking leaves a
-- tombstone, and a request still under way cannot bring it to life again.
CREATE TABLE session (
  token_hash text PRIMARY KEY,
  account_id bigint REFERENCES account,             -- absent before signing in
  data       bytea NOT NULL,
  address    text NOT NULL DEFAULT '',
  agent      text NOT NULL DEFAULT '',
  created_at timestamptz NOT NULL,
  expires_at timestamptz NOT NULL,                  -- by idleness or age, whichever is sooner
  revoked_at timestamptz
);
CREATE INDEX session_account ON session (account_id) WHERE revoked_at IS NULL;
CREATE INDEX session_expires ON session (expires_at);

-- Failed sign-ins, counted per account name and address. The name is what was
-- typed, whether or not such an account exists.
CREATE TABLE sign_in_failure (
  id      bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  name    text NOT NULL,
  address text NOT NULL,
  at      timestamptz NOT NULL
);
CREATE INDEX sign_in_failure_name ON sign_in_failure (name, at);
CREATE INDEX sign_in_failure_address ON sign_in_failure (address, at);

INSERT INTO schema_marker (version) VALUES (2);
