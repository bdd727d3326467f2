-- What the office's papers carry beside their text: head, number, addressees,
-- copies, printing office. Each save is a row; the last one holds, for drafts
-- alone: what is issued keeps its own.
CREATE TABLE letterhead (
  plan_id         bigint NOT NULL REFERENCES plan,
  version         int    NOT NULL,                 -- counts saves: a form filled from an older one is refused
  org             text   NOT NULL,
  sign            text   NOT NULL,
  bulletin_number text   NOT NULL,                 -- 桐政办通〔{{year}}〕{{number}}号
  letter_number   text   NOT NULL,                 -- empty: letters have no number
  bulletin_used   int    NOT NULL,                 -- numbers of used_year that went out by other ways
  letter_used     int    NOT NULL,
  used_year       int    NOT NULL,
  addressee       text   NOT NULL,
  copies          text   NOT NULL,
  printer         text   NOT NULL,
  contact         text   NOT NULL,
  account_id      bigint REFERENCES account,
  saved_by        text   NOT NULL,
  saved_at        timestamptz NOT NULL,
  PRIMARY KEY (plan_id, version),
  CONSTRAINT letterhead_version_check CHECK (version >= 1),
  CONSTRAINT letterhead_text_check CHECK (org <> '' AND sign <> '' AND addressee <> '' AND printer <> ''),
  CONSTRAINT letterhead_number_check CHECK (bulletin_number LIKE '%{{year}}%{{number}}%' AND (letter_number = '' OR letter_number LIKE '%{{year}}%{{number}}%')),
  CONSTRAINT letterhead_used_check CHECK (bulletin_used >= 0 AND letter_used >= 0)
);
CREATE TRIGGER letterhead_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON letterhead
  FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

DO $$
BEGIN
  IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'landmark_read') THEN
    GRANT SELECT ON letterhead TO landmark_read;
  END IF;
  IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'landmark_app') THEN
    GRANT SELECT, INSERT ON letterhead TO landmark_app;
  END IF;
END $$;

INSERT INTO schema_marker (version) VALUES (11);
