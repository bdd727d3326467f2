-- The plan: the table as printed, and beside it what the office says of it in
-- dated, append-only versions. Months are the date of their first day.

CREATE TABLE plan (
  id            bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  slug          text NOT NULL,
  title         text NOT NULL,
  city          text NOT NULL,
  year          int  NOT NULL,
  baseline_year int  NOT NULL,
  published_on  date NOT NULL,                      -- its month is the first owed
  columns       text[] NOT NULL,                    -- the header as printed
  demo          boolean NOT NULL DEFAULT false,     -- holds made-up reports
  created_at    timestamptz NOT NULL,
  CONSTRAINT plan_slug_unique UNIQUE (slug),
  CONSTRAINT plan_slug_form_check CHECK (slug ~ '^[a-z0-9]+(-[a-z0-9]+)*$'),
  CONSTRAINT plan_years_check CHECK (year BETWEEN 1990 AND 2200 AND baseline_year < year)
);

CREATE TABLE project (
  id                 bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  plan_id            bigint NOT NULL REFERENCES plan,
  number             int  NOT NULL,
  name               text NOT NULL,
  lead_department_id bigint NOT NULL REFERENCES department,
  lead_printed       text NOT NULL,
  tasks_text         text NOT NULL,                 -- cells as printed, every character
  scenarios_text     text NOT NULL,
  cooperating_text   text NOT NULL,
  CONSTRAINT project_number_unique UNIQUE (plan_id, number),
  CONSTRAINT project_number_positive_check CHECK (number > 0),
  CONSTRAINT project_name_not_blank_check CHECK (btrim(name) <> '')
);
CREATE INDEX project_lead ON project (lead_department_id);

CREATE TABLE cooperation (
  project_id    bigint NOT NULL REFERENCES project,
  position      int    NOT NULL,
  department_id bigint NOT NULL REFERENCES department,
  printed       text   NOT NULL,
  PRIMARY KEY (project_id, position),
  CONSTRAINT cooperation_department_unique UNIQUE (project_id, department_id)
);
CREATE INDEX cooperation_department ON cooperation (department_id);

CREATE TABLE indicator (
  id            bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  project_id    bigint NOT NULL REFERENCES project,
  position      int  NOT NULL,
  code          text NOT NULL,                      -- project number and position: 4.1
  printed       text NOT NULL,
  name          text NOT NULL,
  key           boolean NOT NULL,
  baseline_text text NOT NULL,
  baseline      numeric,                            -- absent for '/'
  CONSTRAINT indicator_position_unique UNIQUE (project_id, position),
  CONSTRAINT indicator_position_positive_check CHECK (position > 0),
  CONSTRAINT indicator_code_form_check CHECK (code ~ '^[0-9]+\.[0-9]+$')
);

-- What kind of figure an indicator is. The newest row holds, for all months: it
-- corrects what was thought before.
CREATE TABLE indicator_nature (
  id           bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  indicator_id bigint NOT NULL REFERENCES indicator,
  kind         text NOT NULL,                       -- '' until a person says
  direction    text NOT NULL,
  unit         text NOT NULL,
  decimals     int  NOT NULL,
  measured     text NOT NULL,
  steps        jsonb NOT NULL DEFAULT '[]',         -- [{"name": …, "meaning": …}], qualitative only
  confirmed    boolean NOT NULL,
  reason       text NOT NULL DEFAULT '',
  recorded_by  text NOT NULL,
  recorded_at  timestamptz NOT NULL,
  CONSTRAINT indicator_nature_kind_check CHECK (kind IN ('', 'flow', 'cumulative', 'level', 'hold', 'qualitative')),
  CONSTRAINT indicator_nature_direction_check CHECK (direction IN ('up', 'down')),
  CONSTRAINT indicator_nature_measured_check CHECK (measured IN ('monthly', 'on_event', 'quarterly', 'annual')),
  CONSTRAINT indicator_nature_decimals_check CHECK (decimals BETWEEN 0 AND 6),
  CONSTRAINT indicator_nature_steps_check
    CHECK (CASE WHEN kind = 'qualitative' THEN jsonb_array_length(steps) >= 2 ELSE jsonb_array_length(steps) = 0 END)
);
CREATE INDEX indicator_nature_indicator ON indicator_nature (indicator_id, id);

-- The aim from a month on. The printed target holds from January.
CREATE TABLE indicator_target (
  id           bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  indicator_id bigint NOT NULL REFERENCES indicator,
  from_month   date NOT NULL,
  amount       numeric,                             -- absent where the target is words
  text         text NOT NULL,
  basis        text NOT NULL DEFAULT '',            -- document number; empty for the printed target
  basis_on     date,
  recorded_by  text NOT NULL,
  recorded_at  timestamptz NOT NULL,
  CONSTRAINT indicator_target_month_check CHECK (extract(day FROM from_month) = 1),
  CONSTRAINT indicator_target_basis_check CHECK ((basis = '') = (basis_on IS NULL))
);
CREATE INDEX indicator_target_indicator ON indicator_target (indicator_id, from_month, id);

-- A planned path from a month on; no points: back to equal months.
CREATE TABLE indicator_curve (
  id           bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  indicator_id bigint NOT NULL REFERENCES indicator,
  from_month   date NOT NULL,
  points       jsonb NOT NULL,                      -- [{"month": "2023-06", "amount": "40"}]
  basis        text NOT NULL DEFAULT '',
  recorded_by  text NOT NULL,
  recorded_at  timestamptz NOT NULL,
  CONSTRAINT indicator_curve_month_check CHECK (extract(day FROM from_month) = 1)
);
CREATE INDEX indicator_curve_indicator ON indicator_curve (indicator_id, from_month, id);

-- The statistical scope (口径) from a month on.
CREATE TABLE indicator_definition (
  id           bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  indicator_id bigint NOT NULL REFERENCES indicator,
  from_month   date NOT NULL,
  text         text NOT NULL,
  recorded_by  text NOT NULL,
  recorded_at  timestamptz NOT NULL,
  CONSTRAINT indicator_definition_month_check CHECK (extract(day FROM from_month) = 1)
);
CREATE INDEX indicator_definition_indicator ON indicator_definition (indicator_id, from_month, id);

-- Indicators of one plan that must not exceed one another: 9.1 lies within 9.3.
CREATE TABLE indicator_relation (
  indicator_id bigint NOT NULL REFERENCES indicator,
  not_above_id bigint NOT NULL REFERENCES indicator,
  PRIMARY KEY (indicator_id, not_above_id),
  CONSTRAINT indicator_relation_two_check CHECK (indicator_id <> not_above_id)
);

-- How far behind is how bad, in percentage points, from a month on.
CREATE TABLE light_rule (
  id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  plan_id     bigint NOT NULL REFERENCES plan,
  from_month  date NOT NULL,
  tolerance   int  NOT NULL,
  red_line    int  NOT NULL,
  reason      text NOT NULL DEFAULT '',
  recorded_by text NOT NULL,
  recorded_at timestamptz NOT NULL,
  CONSTRAINT light_rule_month_check CHECK (extract(day FROM from_month) = 1),
  CONSTRAINT light_rule_order_check CHECK (0 <= tolerance AND tolerance < red_line AND red_line <= 100)
);
CREATE INDEX light_rule_plan ON light_rule (plan_id, from_month, id);

CREATE TABLE task (
  id         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  project_id bigint NOT NULL REFERENCES project,
  position   int  NOT NULL,                         -- 0 for a lead sentence
  number     int  NOT NULL,                         -- as printed; 0: unnumbered
  code       text NOT NULL,                         -- 4-2
  text       text NOT NULL,
  lead       boolean NOT NULL DEFAULT false,        -- a sentence before the tasks, none itself
  CONSTRAINT task_position_unique UNIQUE (project_id, position),
  CONSTRAINT task_code_form_check CHECK (code ~ '^[0-9]+-[0-9]+$')
);

CREATE TABLE scenario (
  id         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  project_id bigint NOT NULL REFERENCES project,
  position   int  NOT NULL,
  code       text NOT NULL,                         -- 4-1
  name       text NOT NULL,
  CONSTRAINT scenario_position_unique UNIQUE (project_id, position)
);

DO $$
DECLARE t text;
BEGIN
  FOREACH t IN ARRAY ARRAY['indicator_nature', 'indicator_target', 'indicator_curve', 'indicator_definition', 'light_rule'] LOOP
    EXECUTE format('CREATE TRIGGER %I BEFORE UPDATE OR DELETE OR TRUNCATE ON %I FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()', t || '_append_only', t);
  END LOOP;
END $$;

INSERT INTO schema_marker (version) VALUES (3);
