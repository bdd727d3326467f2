-- The data's version: how many transactions have changed what pages show. The
-- program keeps finished pages and shows one only while the version it was made
-- from still stands.
--
-- The version is the sum of the slots. A transaction adds one to a slot that
-- nobody else holds, so writers never wait for one another as they would for one
-- counter. The sum a snapshot sees is the number of changes it sees, and of two
-- snapshots one sees all that the other does: equal sums see the same data.
CREATE TABLE data_version (
  slot   int    PRIMARY KEY,
  writes bigint NOT NULL DEFAULT 0
) WITH (fillfactor = 20); -- room for new versions of a row beside the old
INSERT INTO data_version (slot) SELECT generate_series(0, 63);

-- Once in each transaction, however many statements it has. What is set locally
-- falls with a savepoint that is rolled back, as the count does.
CREATE FUNCTION count_write() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  slots CONSTANT int := 64;
  this_one text := pg_current_xact_id()::text;
  free int := pg_backend_pid() % slots;
BEGIN
  IF current_setting('landmark.counted', true) = this_one THEN
    RETURN NULL;
  END IF;
  FOR i IN 0 .. slots - 1 LOOP
    PERFORM FROM data_version WHERE slot = (free + i) % slots FOR UPDATE SKIP LOCKED;
    IF FOUND THEN
      free := (free + i) % slots;
      EXIT;
    END IF;
  END LOOP;
  UPDATE data_version SET writes = writes + 1 WHERE slot = free;
  IF NOT FOUND THEN -- rather no write than one that pages do not show
    RAISE EXCEPTION 'data_version has no slot %', free;
  END IF;
  PERFORM set_config('landmark.counted', this_one, true);
  RETURN NULL;
END $$;

-- Every table but these counts its writes; a table added later calls
-- count_writes, or a test asks why not. Left out is what no kept page shows: who is
-- signed in, what is typed and not sent, the history's list, jobs and what they
-- deliver, and other counts.
CREATE FUNCTION count_writes(t regclass) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  EXECUTE format('CREATE TRIGGER count_write AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON %s
    FOR EACH STATEMENT EXECUTE FUNCTION count_write()', t);
END $$;

SELECT count_writes(format('%I.%I', schemaname, tablename)::regclass)
FROM pg_tables
WHERE schemaname = current_schema() AND tablename NOT IN ('schema_migrations', 'schema_marker', 'data_version', 'plan_edition',
  'session', 'sign_in_failure', 'submission_key', 'history', 'history_seal', 'history_pending',
  'report_draft', 'task_draft', 'draft_evidence', 'bulletin_draft',
  'river_migration', 'river_job', 'river_leader', 'river_queue', 'river_notification', 'robot', 'delivery', 'delivery_attempt');

DO $$
BEGIN
  IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'landmark_read') THEN
    GRANT SELECT ON data_version TO landmark_read;
  END IF;
  IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'landmark_app') THEN
    GRANT SELECT, UPDATE ON data_version TO landmark_app;
  END IF;
END $$;

INSERT INTO schema_marker (version) VALUES (17);
