DROP FUNCTION count_writes(regclass);
DROP FUNCTION count_write() CASCADE; -- and its triggers
DROP TABLE data_version;
DELETE FROM schema_marker WHERE version = 17;
