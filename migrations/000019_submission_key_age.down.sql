DROP INDEX submission_key_created;
DELETE FROM schema_marker WHERE version = 19;
