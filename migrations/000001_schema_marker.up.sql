-- Which migrations have been applied, as told by the migrations themselves.
-- golang-migrate notes a version before and after it runs a file, in
-- transactions of its own, so a kill leaves "dirty 7" and no way to tell
-- whether 7 was applied. A file's last statement writes its number here in the
-- same transaction as its changes: the row is there exactly if they are.
CREATE TABLE schema_marker (
	version    int         PRIMARY KEY,
	applied_at timestamptz NOT NULL DEFAULT now()
);

INSERT INTO schema_marker (version) VALUES (1);
