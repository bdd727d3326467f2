-- The roles stay: they belong to the server and other databases may use them.
DO $$
DECLARE r text;
BEGIN
  FOREACH r IN ARRAY ARRAY['landmark_app', 'landmark_read'] LOOP
    IF EXISTS (SELECT FROM pg_roles WHERE rolname = r) THEN
      EXECUTE format('REVOKE ALL ON ALL TABLES IN SCHEMA %I FROM %I', current_schema(), r);
      EXECUTE format('REVOKE ALL ON SCHEMA %I FROM %I', current_schema(), r);
    END IF;
  END LOOP;
END $$;
DELETE FROM schema_marker WHERE version = 6;
