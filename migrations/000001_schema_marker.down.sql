DROP TABLE schema_marker;
