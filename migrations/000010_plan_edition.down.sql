DROP FUNCTION advance_edition() CASCADE; -- and its triggers
DROP TABLE plan_edition;
DELETE FROM schema_marker WHERE version = 10;
