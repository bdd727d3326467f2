ALTER TABLE task_draft DROP COLUMN version, DROP COLUMN open;
DELETE FROM schema_marker WHERE version = 8;
