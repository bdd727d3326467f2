DROP TABLE letter_issue, letter_draft;
DELETE FROM schema_marker WHERE version = 16;
