-- Drafts about tasks count their saves like drafts of figures do, so that a form
-- filled from an older one is refused and nothing typed is lost.
ALTER TABLE task_draft
  ADD COLUMN version int NOT NULL DEFAULT 1,
  ADD COLUMN open boolean NOT NULL DEFAULT true;      -- false once it was submitted

INSERT INTO schema_marker (version) VALUES (8);
