-- Who did what, when, from where; before and after. Every business change adds
-- one row in its own transaction.

CREATE TABLE history (
  id            bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  recorded_at   timestamptz NOT NULL,
  account_id    bigint REFERENCES account,          -- absent for the command line
  actor         text NOT NULL,
  role          text NOT NULL,
  address       text NOT NULL DEFAULT '',
  request_id    text NOT NULL DEFAULT '',
  act           text NOT NULL,                      -- 'report.submit', 'target.revise', …
  plan_id       bigint REFERENCES plan,
  project_id    bigint REFERENCES project,
  department_id bigint REFERENCES department,
  indicator_id  bigint REFERENCES indicator,
  month         date,
  object        text NOT NULL DEFAULT '',           -- what it was done to, in words
  before        json,                               -- json keeps the text as written, so that its hash stays
  after         json,
  reason        text NOT NULL DEFAULT '',
  CONSTRAINT history_act_form_check CHECK (act ~ '^[a-z_]+\.[a-z_]+$')
);
CREATE INDEX history_plan ON history (plan_id, id);
CREATE INDEX history_department ON history (department_id, id);
CREATE INDEX history_indicator ON history (indicator_id, id);
CREATE INDEX history_account ON history (account_id, id);
CREATE TRIGGER history_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON history
  FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

-- The chain over the history, written in order by one sealer:
-- hash = sha256(previous hash || the row's columns in a fixed form).
CREATE TABLE history_seal (
  seq        bigint PRIMARY KEY,                    -- 1, 2, 3, … without a gap
  history_id bigint NOT NULL REFERENCES history,
  algorithm  text   NOT NULL,
  previous   bytea  NOT NULL,
  hash       bytea  NOT NULL,
  sealed_at  timestamptz NOT NULL,
  CONSTRAINT history_seal_history_unique UNIQUE (history_id),
  CONSTRAINT history_seal_algorithm_check CHECK (algorithm IN ('sha256'))
);
CREATE TRIGGER history_seal_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON history_seal
  FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

-- Rows the sealer has still to take in. Ids are given before a transaction
-- commits, so "newer than the last one sealed" would miss a slow one.
CREATE TABLE history_pending (
  history_id bigint PRIMARY KEY REFERENCES history
);
CREATE FUNCTION history_to_seal() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO history_pending SELECT id FROM added;
  RETURN NULL;
END $$;
CREATE TRIGGER history_to_seal AFTER INSERT ON history
  REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION history_to_seal();

INSERT INTO schema_marker (version) VALUES (5);
