DROP INDEX plan_year;
DELETE FROM schema_marker WHERE version = 13;
