-- Chase letters (催办函), one to a department for a month: what the office has
-- written into the draft, and the letters as they went out. The same way as with
-- the bulletin.
CREATE TABLE letter_draft (
  plan_id       bigint NOT NULL REFERENCES plan,
  month         date   NOT NULL,
  department_id bigint NOT NULL REFERENCES department,
  version       int    NOT NULL,
  texts         jsonb  NOT NULL,                   -- {"request": "…"}
  account_id    bigint REFERENCES account,
  saved_by      text   NOT NULL,
  saved_at      timestamptz NOT NULL,
  PRIMARY KEY (plan_id, month, department_id),
  CONSTRAINT letter_draft_month_check CHECK (extract(day FROM month) = 1),
  CONSTRAINT letter_draft_version_check CHECK (version >= 1),
  CONSTRAINT letter_draft_texts_check CHECK (jsonb_typeof(texts) = 'object')
);

CREATE TABLE letter_issue (
  id            bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  plan_id       bigint NOT NULL REFERENCES plan,
  month         date   NOT NULL,
  department_id bigint NOT NULL REFERENCES department,
  year          int    NOT NULL,                   -- of issued_on
  number        int,                               -- within the year; absent where letters have no number
  issued_on     date   NOT NULL,
  title         text   NOT NULL,
  content       json   NOT NULL,
  file          bytea  NOT NULL,
  sha256        bytea  NOT NULL,
  account_id    bigint REFERENCES account,
  issued_by     text   NOT NULL,
  issued_at     timestamptz NOT NULL,
  CONSTRAINT letter_issue_department_unique UNIQUE (plan_id, month, department_id),
  CONSTRAINT letter_issue_number_unique UNIQUE (plan_id, year, number),
  CONSTRAINT letter_issue_month_check CHECK (extract(day FROM month) = 1),
  CONSTRAINT letter_issue_number_check CHECK (number >= 1 AND extract(year FROM issued_on) = year),
  CONSTRAINT letter_issue_sha256_check CHECK (sha256 = sha256(file))
);
CREATE TRIGGER letter_issue_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON letter_issue
  FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

DO $$
BEGIN
  IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'landmark_read') THEN
    GRANT SELECT ON letter_draft, letter_issue TO landmark_read;
  END IF;
  IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'landmark_app') THEN
    GRANT SELECT, INSERT ON letter_draft, letter_issue TO landmark_app;
    GRANT UPDATE ON letter_draft TO landmark_app;
  END IF;
END $$;

INSERT INTO schema_marker (version) VALUES (16);
