DROP TABLE bulletin_issue, bulletin_draft;
DELETE FROM schema_marker WHERE version = 7;
