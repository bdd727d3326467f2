-- How often what seldom changes of a plan has changed: the table as printed, what
-- the office set, its calendar, its departments. A program that keeps these in
-- memory asks whether the edition is still the one it read. The count is kept by
-- triggers, so that no way of writing can forget it, and begins with the time, so
-- that a database restored in another's place does not repeat its numbers.
CREATE TABLE plan_edition (
  plan_id bigint PRIMARY KEY REFERENCES plan,
  edition bigint NOT NULL
);

-- The argument is a query for the plan_id of the rows in changed.
CREATE FUNCTION advance_edition() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  EXECUTE format('INSERT INTO plan_edition AS e (plan_id, edition)
    SELECT plan_id, (extract(epoch FROM clock_timestamp()) * 1000000)::bigint FROM (%s) c GROUP BY plan_id ORDER BY plan_id
    ON CONFLICT (plan_id) DO UPDATE SET edition = greatest(e.edition + 1, excluded.edition)', TG_ARGV[0]);
  RETURN NULL;
END $$;

DO $$
DECLARE
  r record;
  event text;
BEGIN
  FOR r IN SELECT * FROM (VALUES
    ('plan', 'SELECT id AS plan_id FROM changed'),
    ('project', 'SELECT plan_id FROM changed'),
    ('period', 'SELECT plan_id FROM changed'),
    ('extension', 'SELECT plan_id FROM changed'),
    ('light_rule', 'SELECT plan_id FROM changed'),
    ('cooperation', 'SELECT j.plan_id FROM changed c JOIN project j ON j.id = c.project_id'),
    ('indicator', 'SELECT j.plan_id FROM changed c JOIN project j ON j.id = c.project_id'),
    ('task', 'SELECT j.plan_id FROM changed c JOIN project j ON j.id = c.project_id'),
    ('scenario', 'SELECT j.plan_id FROM changed c JOIN project j ON j.id = c.project_id'),
    ('indicator_nature', 'SELECT j.plan_id FROM changed c JOIN indicator i ON i.id = c.indicator_id JOIN project j ON j.id = i.project_id'),
    ('indicator_baseline', 'SELECT j.plan_id FROM changed c JOIN indicator i ON i.id = c.indicator_id JOIN project j ON j.id = i.project_id'),
    ('indicator_target', 'SELECT j.plan_id FROM changed c JOIN indicator i ON i.id = c.indicator_id JOIN project j ON j.id = i.project_id'),
    ('indicator_curve', 'SELECT j.plan_id FROM changed c JOIN indicator i ON i.id = c.indicator_id JOIN project j ON j.id = i.project_id'),
    ('indicator_definition', 'SELECT j.plan_id FROM changed c JOIN indicator i ON i.id = c.indicator_id JOIN project j ON j.id = i.project_id'),
    ('indicator_relation', 'SELECT j.plan_id FROM changed c JOIN indicator i ON i.id = c.indicator_id JOIN project j ON j.id = i.project_id'),
    ('department', 'SELECT j.plan_id FROM changed d JOIN project j ON j.lead_department_id = d.id
      UNION SELECT j.plan_id FROM changed d JOIN cooperation c ON c.department_id = d.id JOIN project j ON j.id = c.project_id')
  ) AS t (name, query) LOOP
    FOREACH event IN ARRAY ARRAY['INSERT', 'UPDATE', 'DELETE'] LOOP
      CONTINUE WHEN r.name = 'plan' AND event = 'DELETE'; -- its edition goes first
      EXECUTE format('CREATE TRIGGER %I AFTER %s ON %I REFERENCING %s TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION advance_edition(%L)',
        r.name || '_edition_' || lower(event), event, r.name, CASE event WHEN 'DELETE' THEN 'OLD' ELSE 'NEW' END, r.query);
    END LOOP;
  END LOOP;
END $$;

INSERT INTO plan_edition (plan_id, edition) SELECT id, (extract(epoch FROM clock_timestamp()) * 1000000)::bigint FROM plan;

DO $$
BEGIN
  IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'landmark_read') THEN
    GRANT SELECT ON plan_edition TO landmark_read;
  END IF;
  IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'landmark_app') THEN
    GRANT SELECT, INSERT, UPDATE ON plan_edition TO landmark_app;
  END IF;
END $$;

INSERT INTO schema_marker (version) VALUES (10);
