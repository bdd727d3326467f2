DROP TABLE history_seal, history;
DELETE FROM schema_marker WHERE version = 5;
