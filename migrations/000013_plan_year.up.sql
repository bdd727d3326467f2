-- The newest plan, which every page without a plan in its address asks for.
CREATE INDEX plan_year ON plan (year, id);

INSERT INTO schema_marker (version) VALUES (13);
