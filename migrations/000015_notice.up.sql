-- What the program tells people by itself: reminders of a month's dates, and
-- what became of a report. A notice is written in the transaction of what it
-- tells of; sending it out is taken up afterwards, so that neither can be
-- without the other.

CREATE TABLE notice (
  id            bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  plan_id       bigint NOT NULL REFERENCES plan,
  month         date NOT NULL,
  department_id bigint NOT NULL REFERENCES department, -- whom it is about
  audience      text NOT NULL,                      -- whom it is for
  kind          text NOT NULL,
  cause         text NOT NULL DEFAULT '',           -- what it tells of; empty: the month itself, once
  title         text NOT NULL,
  body          text NOT NULL,
  path          text NOT NULL,                      -- page to go on from
  created_at    timestamptz NOT NULL,
  relayed_at    timestamptz,                        -- deliveries were made out, if any
  CONSTRAINT notice_once_unique UNIQUE (plan_id, month, department_id, kind, cause),
  CONSTRAINT notice_month_check CHECK (extract(day FROM month) = 1),
  CONSTRAINT notice_audience_check CHECK (audience IN ('department', 'leader', 'office')),
  CONSTRAINT notice_kind_check CHECK (kind IN ('open', 'due', 'late', 'chase', 'submitted', 'signed', 'approved', 'returned')),
  CONSTRAINT notice_reminder_check CHECK ((cause = '') = (kind IN ('open', 'due', 'late')))
);
CREATE INDEX notice_department ON notice (department_id, id);
CREATE INDEX notice_relay ON notice (id) WHERE relayed_at IS NULL;

-- Who has seen a notice.
CREATE TABLE notice_seen (
  notice_id  bigint NOT NULL REFERENCES notice,
  account_id bigint NOT NULL REFERENCES account,
  seen_at    timestamptz NOT NULL,
  PRIMARY KEY (notice_id, account_id)
);

-- Where mail to a person goes; empty: none.
ALTER TABLE account
  ADD COLUMN email text NOT NULL DEFAULT '',
  ADD CONSTRAINT account_email_form_check CHECK (email = '' OR char_length(email) <= 254 AND email ~ '^[^@[:space:][:cntrl:]<>]+@[^@[:space:][:cntrl:]<>]+$');

-- Group robots of DingTalk and WeCom. The address is itself a secret.
CREATE TABLE robot (
  id            bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  name          text NOT NULL,
  kind          text NOT NULL,
  url           text NOT NULL,
  secret        text NOT NULL DEFAULT '',           -- DingTalk signs with it
  department_id bigint REFERENCES department,       -- absent: the office's, which hears of all departments
  removed_at    timestamptz,
  recorded_by   text NOT NULL,
  recorded_at   timestamptz NOT NULL,
  CONSTRAINT robot_name_length_check CHECK (char_length(name) BETWEEN 1 AND 40),
  CONSTRAINT robot_kind_check CHECK (kind IN ('dingtalk', 'wecom')),
  CONSTRAINT robot_url_length_check CHECK (char_length(url) <= 1000)
);
CREATE UNIQUE INDEX robot_name_unique ON robot (name) WHERE removed_at IS NULL;

-- One notice on its way to one recipient.
CREATE TABLE delivery (
  id         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  notice_id  bigint NOT NULL REFERENCES notice,
  channel    text NOT NULL,
  recipient  text NOT NULL,                         -- a mail address, or the robot's number
  robot_id   bigint REFERENCES robot,
  state      text NOT NULL DEFAULT 'pending',
  round      int  NOT NULL DEFAULT 1,               -- grows when the office tries again
  attempts   int  NOT NULL DEFAULT 0,
  last_error text NOT NULL DEFAULT '',
  created_at timestamptz NOT NULL,
  queued_at  timestamptz,                           -- of this round
  state_at   timestamptz NOT NULL,
  CONSTRAINT delivery_once_unique UNIQUE (notice_id, channel, recipient),
  CONSTRAINT delivery_channel_check CHECK (channel IN ('mail', 'dingtalk', 'wecom')),
  CONSTRAINT delivery_robot_check CHECK ((channel = 'mail') = (robot_id IS NULL)),
  CONSTRAINT delivery_state_check CHECK (state IN ('pending', 'delivered', 'failed', 'dropped'))
);
CREATE INDEX delivery_unqueued ON delivery (id) WHERE state = 'pending' AND queued_at IS NULL;
CREATE INDEX delivery_state ON delivery (state, id);
CREATE INDEX delivery_robot ON delivery (robot_id) WHERE robot_id IS NOT NULL;

-- Each try. One that never ended was cut off: whether it arrived is not known.
CREATE TABLE delivery_attempt (
  id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  delivery_id bigint NOT NULL REFERENCES delivery,
  started_at  timestamptz NOT NULL,
  ended_at    timestamptz,
  error       text NOT NULL DEFAULT ''
);
CREATE INDEX delivery_attempt_delivery ON delivery_attempt (delivery_id, id);
CREATE INDEX delivery_attempt_started ON delivery_attempt (started_at);

DO $$
BEGIN
  IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'landmark_read') THEN
    -- Not robot, whose addresses are secrets, nor delivery, which holds people's mail addresses.
    GRANT SELECT ON notice, notice_seen, delivery_attempt TO landmark_read;
  END IF;
  IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'landmark_app') THEN
    GRANT SELECT, INSERT ON notice, notice_seen, robot, delivery, delivery_attempt TO landmark_app;
    GRANT UPDATE (relayed_at) ON notice TO landmark_app;
    GRANT UPDATE (removed_at) ON robot TO landmark_app;
    GRANT UPDATE (state, round, attempts, last_error, queued_at, state_at) ON delivery TO landmark_app;
    GRANT UPDATE (ended_at, error) ON delivery_attempt TO landmark_app;
  END IF;
END $$;

INSERT INTO schema_marker (version) VALUES (15);
