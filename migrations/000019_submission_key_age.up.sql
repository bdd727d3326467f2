-- Keys of forms are swept by their age.
CREATE INDEX submission_key_created ON submission_key (created_at);

INSERT INTO schema_marker (version) VALUES (19);
