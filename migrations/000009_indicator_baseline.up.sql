-- A baseline that an import corrected. The printed one stays in indicator and
-- holds until the first of these was recorded, so that a page seen as of an
-- earlier moment is what it was.
CREATE TABLE indicator_baseline (
  id           bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  indicator_id bigint NOT NULL REFERENCES indicator,
  text         text NOT NULL,                         -- as printed: /, 5.48‰
  amount       numeric,                               -- absent where the text is no number
  recorded_by  text NOT NULL,
  recorded_at  timestamptz NOT NULL
);
CREATE INDEX indicator_baseline_indicator ON indicator_baseline (indicator_id, id);

CREATE TRIGGER indicator_baseline_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON indicator_baseline
  FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

DO $$
BEGIN
  IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'landmark_read') THEN
    GRANT SELECT ON indicator_baseline TO landmark_read;
  END IF;
  IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'landmark_app') THEN
    GRANT SELECT, INSERT ON indicator_baseline TO landmark_app;
  END IF;
END $$;

INSERT INTO schema_marker (version) VALUES (9);
