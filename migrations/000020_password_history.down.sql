DROP TABLE password_history;
DELETE FROM schema_marker WHERE version = 20;
