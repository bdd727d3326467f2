-- The month: its calendar, what departments report, and how it is approved.
-- Only drafts and the head of a report ever change; all the rest is added.

-- A month's calendar. The newest row of a month holds; without one the default
-- does (due on the 5th, grace two days, locked on the 15th of the next month).
CREATE TABLE period (
  id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  plan_id     bigint NOT NULL REFERENCES plan,
  month       date NOT NULL,
  opens_on    date NOT NULL,
  due_on      date NOT NULL,
  grace_on    date NOT NULL,
  lock_on     date NOT NULL,
  reason      text NOT NULL DEFAULT '',
  recorded_by text NOT NULL,
  recorded_at timestamptz NOT NULL,
  CONSTRAINT period_month_check CHECK (extract(day FROM month) = 1),
  CONSTRAINT period_order_check CHECK (opens_on <= due_on AND due_on <= grace_on AND grace_on <= lock_on)
);
CREATE INDEX period_plan ON period (plan_id, month, id);

-- More time for one department in one month, by exception.
CREATE TABLE extension (
  id            bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  plan_id       bigint NOT NULL REFERENCES plan,
  department_id bigint NOT NULL REFERENCES department,
  month         date NOT NULL,
  due_on        date NOT NULL,
  reason        text NOT NULL,
  recorded_by   text NOT NULL,
  recorded_at   timestamptz NOT NULL,
  CONSTRAINT extension_month_check CHECK (extract(day FROM month) = 1),
  CONSTRAINT extension_reason_check CHECK (btrim(reason) <> '')
);
CREATE INDEX extension_plan ON extension (plan_id, month, department_id);

-- 催报: the office reminds a department of a month.
CREATE TABLE chase (
  id            bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  plan_id       bigint NOT NULL REFERENCES plan,
  department_id bigint NOT NULL REFERENCES department,
  month         date NOT NULL,
  recorded_by   text NOT NULL,
  recorded_at   timestamptz NOT NULL,
  CONSTRAINT chase_month_check CHECK (extract(day FROM month) = 1)
);
CREATE INDEX chase_plan ON chase (plan_id, month, department_id);

-- Who of the department has seen a chase.
CREATE TABLE chase_seen (
  chase_id   bigint NOT NULL REFERENCES chase,
  account_id bigint NOT NULL REFERENCES account,
  seen_at    timestamptz NOT NULL,
  PRIMARY KEY (chase_id, account_id)
);

-- The head of a month's report of one indicator: where it stands now. How it
-- came there is in report_event.
CREATE TABLE report (
  id           bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  indicator_id bigint NOT NULL REFERENCES indicator,
  month        date NOT NULL,
  state        text NOT NULL,
  revision     int  NOT NULL,                       -- newest in report_revision
  approved_revision int,                            -- newest in approved_value
  state_at     timestamptz NOT NULL,
  CONSTRAINT report_month_unique UNIQUE (indicator_id, month),
  CONSTRAINT report_month_check CHECK (extract(day FROM month) = 1),
  CONSTRAINT report_state_check CHECK (state IN ('submitted', 'signed', 'approved', 'returned')),
  CONSTRAINT report_revision_check CHECK (revision >= 1 AND (approved_revision IS NULL OR approved_revision <= revision)),
  CONSTRAINT report_approved_check CHECK (state <> 'approved' OR approved_revision = revision)
);
-- The review queue reads what is on its way, a handful among all.
CREATE INDEX report_waiting ON report (state) WHERE state IN ('submitted', 'signed');

-- What was sent: one row each time a report leaves draft.
CREATE TABLE report_revision (
  id             bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  report_id      bigint NOT NULL REFERENCES report,
  revision       int  NOT NULL,
  amount         numeric,
  step           text NOT NULL DEFAULT '',
  note           text NOT NULL DEFAULT '',
  reason         text NOT NULL DEFAULT '',
  no_change      boolean NOT NULL DEFAULT false,
  correction     boolean NOT NULL DEFAULT false,    -- asks to replace an approved value
  findings       text[] NOT NULL DEFAULT '{}',      -- soft checks set aside, as sentences
  account_id     bigint REFERENCES account,
  submitted_by   text NOT NULL,
  submitted_at   timestamptz NOT NULL,
  CONSTRAINT report_revision_unique UNIQUE (report_id, revision),
  CONSTRAINT report_revision_value_check CHECK ((amount IS NOT NULL) <> (step <> '')),
  CONSTRAINT report_revision_correction_check CHECK (NOT correction OR btrim(reason) <> '')
);

-- Each change of state, with who and why.
CREATE TABLE report_event (
  id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  report_id   bigint NOT NULL REFERENCES report,
  revision    int  NOT NULL,
  state       text NOT NULL,
  reason      text NOT NULL DEFAULT '',
  account_id  bigint REFERENCES account,
  recorded_by text NOT NULL,
  recorded_at timestamptz NOT NULL,
  CONSTRAINT report_event_state_check CHECK (state IN ('submitted', 'signed', 'approved', 'returned')),
  CONSTRAINT report_event_return_check CHECK (state <> 'returned' OR btrim(reason) <> ''),
  CONSTRAINT report_event_revision_fkey FOREIGN KEY (report_id, revision) REFERENCES report_revision (report_id, revision)
);
CREATE INDEX report_event_report ON report_event (report_id, id);

-- What stood approved, and from when. The newest row of an indicator and month
-- holds until a correction adds another.
CREATE TABLE approved_value (
  id           bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  indicator_id bigint NOT NULL REFERENCES indicator,
  month        date NOT NULL,
  report_id    bigint NOT NULL REFERENCES report,
  revision     int  NOT NULL,
  amount       numeric,
  step         text NOT NULL DEFAULT '',
  note         text NOT NULL DEFAULT '',
  reason       text NOT NULL DEFAULT '',
  reported_by  text NOT NULL,
  reported_at  timestamptz NOT NULL,
  approved_by  text NOT NULL,
  approved_at  timestamptz NOT NULL,
  CONSTRAINT approved_value_revision_unique UNIQUE (report_id, revision),
  CONSTRAINT approved_value_value_check CHECK ((amount IS NOT NULL) <> (step <> '')),
  CONSTRAINT approved_value_revision_fkey FOREIGN KEY (report_id, revision) REFERENCES report_revision (report_id, revision)
);
CREATE INDEX approved_value_indicator ON approved_value (indicator_id, month, id);

-- What a department has typed and not yet sent, as typed. version counts saves:
-- a form filled from an older one is refused.
CREATE TABLE report_draft (
  indicator_id bigint NOT NULL REFERENCES indicator,
  month        date NOT NULL,
  version      int  NOT NULL,
  value_text   text NOT NULL DEFAULT '',
  step         text NOT NULL DEFAULT '',
  note         text NOT NULL DEFAULT '',
  reason       text NOT NULL DEFAULT '',
  no_change    boolean NOT NULL DEFAULT false,
  open         boolean NOT NULL,                    -- false once it was submitted
  account_id   bigint REFERENCES account,
  saved_by     text NOT NULL,
  saved_at     timestamptz NOT NULL,
  PRIMARY KEY (indicator_id, month),
  CONSTRAINT report_draft_month_check CHECK (extract(day FROM month) = 1),
  CONSTRAINT report_draft_length_check
    CHECK (char_length(value_text) <= 200 AND char_length(step) <= 100 AND char_length(note) <= 4000 AND char_length(reason) <= 2000)
);

CREATE TABLE task_draft (
  task_id       bigint NOT NULL REFERENCES task,
  department_id bigint NOT NULL REFERENCES department,
  month         date NOT NULL,
  state         text NOT NULL DEFAULT '',
  note          text NOT NULL DEFAULT '',
  saved_by      text NOT NULL,
  saved_at      timestamptz NOT NULL,
  PRIMARY KEY (task_id, department_id, month),
  CONSTRAINT task_draft_state_check CHECK (state IN ('', 'not_started', 'underway', 'done')),
  CONSTRAINT task_draft_length_check CHECK (char_length(note) <= 4000)
);

-- What a department said of a task: a state, a note or both.
CREATE TABLE task_update (
  id            bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  task_id       bigint NOT NULL REFERENCES task,
  month         date NOT NULL,
  state         text NOT NULL DEFAULT '',
  note          text NOT NULL DEFAULT '',
  department_id bigint NOT NULL REFERENCES department,
  account_id    bigint REFERENCES account,
  recorded_by   text NOT NULL,
  recorded_at   timestamptz NOT NULL,
  CONSTRAINT task_update_state_check CHECK (state IN ('', 'not_started', 'underway', 'done')),
  CONSTRAINT task_update_says_something_check CHECK (state <> '' OR btrim(note) <> ''),
  CONSTRAINT task_update_length_check CHECK (char_length(note) <= 4000)
);
CREATE INDEX task_update_task ON task_update (task_id, id);

-- Stages of a showcase scenario. The newest row of a step holds.
CREATE TABLE milestone (
  id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  scenario_id bigint NOT NULL REFERENCES scenario,
  step        text NOT NULL,
  reached_on  date NOT NULL,
  withdrawn   boolean NOT NULL DEFAULT false,
  account_id  bigint REFERENCES account,
  recorded_by text NOT NULL,
  recorded_at timestamptz NOT NULL,
  CONSTRAINT milestone_step_check CHECK (step IN ('选址', '建设', '验收', '开放'))
);
CREATE INDEX milestone_scenario ON milestone (scenario_id, id);

-- A light set by the office for a span of months; withdrawn adds a row with the
-- same span that ends it.
CREATE TABLE light_override (
  id           bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  indicator_id bigint NOT NULL REFERENCES indicator,
  from_month   date NOT NULL,
  until_month  date NOT NULL,
  light        text NOT NULL,
  reason       text NOT NULL,
  withdraws_id bigint REFERENCES light_override,
  account_id   bigint REFERENCES account,
  recorded_by  text NOT NULL,
  recorded_at  timestamptz NOT NULL,
  CONSTRAINT light_override_span_check
    CHECK (extract(day FROM from_month) = 1 AND extract(day FROM until_month) = 1 AND from_month <= until_month),
  CONSTRAINT light_override_light_check CHECK (light IN ('critical', 'behind', 'on_track', 'done')),
  CONSTRAINT light_override_reason_check CHECK (btrim(reason) <> '')
);
CREATE INDEX light_override_indicator ON light_override (indicator_id, id);
CREATE UNIQUE INDEX light_override_withdrawn_once ON light_override (withdraws_id) WHERE withdraws_id IS NOT NULL;

-- Evidence files (佐证材料), kept with the data so that one backup holds all.
CREATE TABLE evidence (
  id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  department_id bigint NOT NULL REFERENCES department,
  name        text  NOT NULL,                       -- as the sender called it
  media_type  text  NOT NULL,                       -- by content
  size        int   NOT NULL,                       -- bytes
  sha256      bytea NOT NULL,
  content     bytea NOT NULL,
  account_id  bigint REFERENCES account,
  uploaded_by text  NOT NULL,
  uploaded_at timestamptz NOT NULL,
  CONSTRAINT evidence_name_length_check CHECK (char_length(name) BETWEEN 1 AND 200),
  CONSTRAINT evidence_size_check CHECK (size = length(content) AND size BETWEEN 1 AND 20 * 1024 * 1024)
);
ALTER TABLE evidence ALTER COLUMN content SET STORAGE EXTERNAL; -- PDF and images do not shrink

CREATE TABLE draft_evidence (
  indicator_id bigint NOT NULL REFERENCES indicator,
  month        date NOT NULL,
  evidence_id  bigint NOT NULL REFERENCES evidence,
  PRIMARY KEY (indicator_id, month, evidence_id)
);

CREATE TABLE revision_evidence (
  report_revision_id bigint NOT NULL REFERENCES report_revision,
  evidence_id        bigint NOT NULL REFERENCES evidence,
  PRIMARY KEY (report_revision_id, evidence_id)
);
CREATE INDEX revision_evidence_evidence ON revision_evidence (evidence_id);

-- One row for each form sent: the same key again has no second effect.
CREATE TABLE submission_key (
  account_id  bigint NOT NULL REFERENCES account,
  key         text   NOT NULL,
  body_sha256 bytea  NOT NULL,
  replays     int    NOT NULL DEFAULT 0,
  answer      text   NOT NULL,                      -- where the first answer led
  created_at  timestamptz NOT NULL,
  PRIMARY KEY (account_id, key),
  CONSTRAINT submission_key_length_check CHECK (char_length(key) BETWEEN 16 AND 64)
);

DO $$
DECLARE t text;
BEGIN
  FOREACH t IN ARRAY ARRAY['period', 'extension', 'chase', 'report_revision', 'report_event', 'approved_value',
      'task_update', 'milestone', 'light_override', 'evidence', 'revision_evidence'] LOOP
    EXECUTE format('CREATE TRIGGER %I BEFORE UPDATE OR DELETE OR TRUNCATE ON %I FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()', t || '_append_only', t);
  END LOOP;
END $$;

INSERT INTO schema_marker (version) VALUES (4);
