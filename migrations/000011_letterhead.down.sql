DROP TABLE letterhead;
DELETE FROM schema_marker WHERE version = 11;
