DROP TABLE submission_key, revision_evidence, draft_evidence, evidence, light_override, milestone, task_update, task_draft,
  report_draft, approved_value, report_event, report_revision, report, chase_seen, chase, extension, period;
DELETE FROM schema_marker WHERE version = 4;
