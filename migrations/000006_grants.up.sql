-- Three roles: the owner migrates; landmark_app is what the program works as,
-- with no right to alter or to change what is append-only; landmark_read reads.
-- Roles belong to the whole server, so they may be there already; where the
-- owner may not make roles, an administrator does, and the grants below are
-- made by running this file again.
DO $$
BEGIN
  IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'landmark_app') THEN
    CREATE ROLE landmark_app NOLOGIN;
  END IF;
  IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'landmark_read') THEN
    CREATE ROLE landmark_read NOLOGIN;
  END IF;
EXCEPTION
  WHEN insufficient_privilege OR duplicate_object OR unique_violation THEN NULL;
END $$;

DO $$
DECLARE t text;
BEGIN
  IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'landmark_read') THEN
    EXECUTE format('GRANT USAGE ON SCHEMA %I TO landmark_read', current_schema());
    FOR t IN SELECT tablename FROM pg_tables WHERE schemaname = current_schema() LOOP
      IF t NOT IN ('account', 'session', 'sign_in_failure', 'evidence') THEN
        EXECUTE format('GRANT SELECT ON %I TO landmark_read', t);
      END IF;
    END LOOP;
  END IF;
  IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'landmark_app') THEN
    EXECUTE format('GRANT USAGE ON SCHEMA %I TO landmark_app', current_schema());
    FOR t IN SELECT tablename FROM pg_tables WHERE schemaname = current_schema() LOOP
      EXECUTE format('GRANT SELECT ON %I TO landmark_app', t);
      IF t NOT IN ('schema_migrations', 'schema_marker') THEN
        EXECUTE format('GRANT INSERT ON %I TO landmark_app', t);
      END IF;
      IF t IN ('department', 'account', 'session', 'plan', 'project', 'indicator', 'report', 'report_draft', 'task_draft', 'submission_key') THEN
        EXECUTE format('GRANT UPDATE ON %I TO landmark_app', t);
      END IF;
      IF t IN ('history_pending', 'sign_in_failure', 'session', 'draft_evidence', 'task_draft', 'report_draft', 'submission_key', 'department_alias') THEN
        EXECUTE format('GRANT DELETE ON %I TO landmark_app', t);
      END IF;
    END LOOP;
  END IF;
END $$;

INSERT INTO schema_marker (version) VALUES (6);
