-- What every slice stands on: change numbers, facts, kept answers, letters on their way,
-- organisations, and the people who act for them.

-- Change numbers: every write transaction draws the next, in the order of commits.
CREATE TABLE change_counter (
  one INTEGER NOT NULL PRIMARY KEY,
  value BIGINT NOT NULL,
  CONSTRAINT change_counter_is_one_row CHECK (one = 1)
);
INSERT INTO change_counter (one, value) VALUES (1, 0);

-- The key of tokens and links, where no environment variable gives one and no file can be shared.
CREATE TABLE service_secret (
  one INTEGER NOT NULL PRIMARY KEY,
  secret TEXT NOT NULL,
  CONSTRAINT service_secret_is_one_row CHECK (one = 1)
);

CREATE TABLE fact (
  change BIGINT NOT NULL,
  turn BIGINT NOT NULL,
  at TIMESTAMP NOT NULL,
  subject TEXT NOT NULL,
  subject_id TEXT NOT NULL,
  deed TEXT NOT NULL,
  actor_id TEXT,
  actor_name TEXT NOT NULL,
  actor_organisation_id TEXT,
  reason TEXT,
  data TEXT NOT NULL,
  PRIMARY KEY (change, turn)
);
CREATE INDEX fact_of_subject ON fact (subject, subject_id, change, turn);

CREATE TABLE idempotency (
  principal TEXT NOT NULL,
  key TEXT NOT NULL,
  request TEXT NOT NULL,
  status INTEGER,
  headers TEXT,
  body TEXT,
  begun_at TIMESTAMP NOT NULL,
  PRIMARY KEY (principal, key)
);
CREATE INDEX idempotency_by_age ON idempotency (begun_at);

CREATE TABLE delivery_status (word TEXT NOT NULL PRIMARY KEY);
INSERT INTO delivery_status (word) VALUES ('queued'), ('sent'), ('failed'), ('suppressed');

CREATE TABLE delivery (
  id TEXT NOT NULL PRIMARY KEY,
  urgency INTEGER NOT NULL,
  recipient TEXT NOT NULL,
  recipient_key TEXT NOT NULL,
  language TEXT NOT NULL,
  letter TEXT,
  dispatch_id TEXT,
  notice_version_id TEXT,
  subscription_id TEXT,
  why TEXT,
  status TEXT NOT NULL REFERENCES delivery_status (word),
  attempts INTEGER NOT NULL,
  due_at TIMESTAMP NOT NULL,
  leased_until TIMESTAMP,
  queued_at TIMESTAMP NOT NULL,
  settled_at TIMESTAMP,
  answer TEXT,
  -- Nobody gets the same version twice.
  CONSTRAINT delivery_once UNIQUE (notice_version_id, recipient_key),
  CONSTRAINT delivery_is_settled_when_it_has_left CHECK ((status = 'queued') = (settled_at IS NULL)),
  CONSTRAINT delivery_of_a_version_is_of_a_dispatch CHECK ((notice_version_id IS NULL) = (dispatch_id IS NULL))
);
CREATE INDEX delivery_due ON delivery (status, urgency, due_at, id);
CREATE INDEX delivery_of_dispatch ON delivery (dispatch_id, status);
CREATE INDEX delivery_to_recipient ON delivery (recipient_key);

CREATE TABLE organisation_kind (word TEXT NOT NULL PRIMARY KEY);
INSERT INTO organisation_kind (word) VALUES
  ('municipality'), ('region'), ('state'), ('utility'), ('port'), ('public_company'), ('network'),
  ('association'), ('knowledge_institution'), ('company'), ('other');

CREATE TABLE organisation (
  id TEXT NOT NULL PRIMARY KEY,
  name TEXT NOT NULL,
  name_key TEXT NOT NULL,
  kind TEXT NOT NULL REFERENCES organisation_kind (word),
  cvr TEXT,
  country TEXT NOT NULL,
  nuts TEXT,
  valid_from DATE,
  valid_to DATE,
  successor_id TEXT REFERENCES organisation (id),
  version BIGINT NOT NULL,
  changed BIGINT NOT NULL,
  created_at TIMESTAMP NOT NULL,
  updated_at TIMESTAMP NOT NULL,
  CONSTRAINT organisation_name_once UNIQUE (name_key),
  CONSTRAINT organisation_cvr_once UNIQUE (cvr),
  CONSTRAINT organisation_ends_after_it_begins CHECK (valid_to IS NULL OR valid_from IS NULL OR valid_to >= valid_from),
  CONSTRAINT organisation_is_not_its_own_successor CHECK (successor_id IS NULL OR successor_id <> id)
);
CREATE INDEX organisation_by_change ON organisation (changed, id);

CREATE TABLE user_role (word TEXT NOT NULL PRIMARY KEY);
INSERT INTO user_role (word) VALUES ('member'), ('org_admin'), ('facilitator'), ('admin');

CREATE TABLE user_account (
  id TEXT NOT NULL PRIMARY KEY,
  email TEXT NOT NULL,
  email_key TEXT NOT NULL,
  name TEXT NOT NULL,
  role TEXT NOT NULL REFERENCES user_role (word),
  organisation_id TEXT REFERENCES organisation (id),
  -- None until the invitation was accepted.
  password_hash TEXT,
  created_at TIMESTAMP NOT NULL,
  CONSTRAINT user_account_email_once UNIQUE (email_key),
  CONSTRAINT user_account_member_acts_for_a_body CHECK (role IN ('facilitator', 'admin') OR organisation_id IS NOT NULL)
);

CREATE TABLE api_key (
  id TEXT NOT NULL PRIMARY KEY,
  user_id TEXT NOT NULL REFERENCES user_account (id),
  name TEXT NOT NULL,
  scopes TEXT NOT NULL,
  key_hash TEXT NOT NULL,
  created_at TIMESTAMP NOT NULL,
  expires_at TIMESTAMP,
  last_used_at TIMESTAMP,
  revoked_at TIMESTAMP,
  CONSTRAINT api_key_hash_once UNIQUE (key_hash)
);
CREATE INDEX api_key_of_user ON api_key (user_id);

CREATE TABLE session (
  id TEXT NOT NULL PRIMARY KEY,
  user_id TEXT NOT NULL REFERENCES user_account (id),
  created_at TIMESTAMP NOT NULL,
  ended_at TIMESTAMP
);
CREATE INDEX session_of_user ON session (user_id);

CREATE TABLE refresh_token (
  token_hash TEXT NOT NULL PRIMARY KEY,
  session_id TEXT NOT NULL REFERENCES session (id),
  issued_at TIMESTAMP NOT NULL,
  expires_at TIMESTAMP NOT NULL,
  spent_at TIMESTAMP
);
CREATE INDEX refresh_token_of_session ON refresh_token (session_id);
