-- The bulletin: what the office has written into a month's draft, and the
-- issues, each frozen as it went out.

-- The office's own templates by block key; only those that differ from what the
-- program drafts. version counts saves: a form filled from an older one is
-- refused.
CREATE TABLE bulletin_draft (
  plan_id    bigint NOT NULL REFERENCES plan,
  month      date   NOT NULL,
  version    int    NOT NULL,
  texts      jsonb  NOT NULL,                      -- {"overall.extra": "…"}
  account_id bigint REFERENCES account,            -- absent for the command line
  saved_by   text   NOT NULL,
  saved_at   timestamptz NOT NULL,
  PRIMARY KEY (plan_id, month),
  CONSTRAINT bulletin_draft_month_check CHECK (extract(day FROM month) = 1),
  CONSTRAINT bulletin_draft_version_check CHECK (version >= 1),
  CONSTRAINT bulletin_draft_texts_check CHECK (jsonb_typeof(texts) = 'object')
);

CREATE TABLE bulletin_issue (
  id         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  plan_id    bigint NOT NULL REFERENCES plan,
  month      date   NOT NULL,
  year       int    NOT NULL,                      -- of issued_on; numbers begin anew each year
  number     int    NOT NULL,
  issued_on  date   NOT NULL,                      -- as printed
  as_of      timestamptz NOT NULL,                 -- the moment its figures are of
  title      text   NOT NULL,
  content    json   NOT NULL,                      -- text, figures, annex; json keeps it as written
  file       bytea  NOT NULL,                      -- .docx
  sha256     bytea  NOT NULL,                      -- of file
  account_id bigint REFERENCES account,
  issued_by  text   NOT NULL,
  issued_at  timestamptz NOT NULL,
  CONSTRAINT bulletin_issue_month_unique UNIQUE (plan_id, month),
  CONSTRAINT bulletin_issue_number_unique UNIQUE (plan_id, year, number),
  CONSTRAINT bulletin_issue_month_check CHECK (extract(day FROM month) = 1),
  CONSTRAINT bulletin_issue_number_check CHECK (number >= 1 AND extract(year FROM issued_on) = year),
  CONSTRAINT bulletin_issue_sha256_check CHECK (sha256 = sha256(file))
);
CREATE TRIGGER bulletin_issue_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON bulletin_issue
  FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

DO $$
BEGIN
  IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'landmark_read') THEN
    GRANT SELECT ON bulletin_draft, bulletin_issue TO landmark_read;
  END IF;
  IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'landmark_app') THEN
    GRANT SELECT, INSERT ON bulletin_draft, bulletin_issue TO landmark_app;
    GRANT UPDATE ON bulletin_draft TO landmark_app;
  END IF;
END $$;

INSERT INTO schema_marker (version) VALUES (7);
