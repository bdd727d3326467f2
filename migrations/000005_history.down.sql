DROP TABLE history_pending, history_seal, history;
DROP FUNCTION history_to_seal();
DELETE FROM schema_marker WHERE version = 5;
