-- Needs that a body's staff leave in its inboxes, and who has them too.

CREATE TABLE need_state (word TEXT NOT NULL PRIMARY KEY);
INSERT INTO need_state (word) VALUES ('new'), ('seen'), ('gathered'), ('answered'), ('set_aside');

CREATE TABLE needs_inbox (
  id TEXT NOT NULL PRIMARY KEY,
  organisation_id TEXT NOT NULL REFERENCES organisation (id),
  -- The last part of the inbox's own address.
  address TEXT NOT NULL,
  title TEXT NOT NULL,
  asks TEXT NOT NULL,
  language TEXT NOT NULL,
  open BOOLEAN NOT NULL,
  version BIGINT NOT NULL,
  changed BIGINT NOT NULL,
  created_at TIMESTAMP NOT NULL,
  updated_at TIMESTAMP NOT NULL
);
CREATE UNIQUE INDEX needs_inbox_address ON needs_inbox (address);
CREATE INDEX needs_inbox_of_body ON needs_inbox (organisation_id, id);

CREATE TABLE need (
  id TEXT NOT NULL PRIMARY KEY,
  inbox_id TEXT NOT NULL REFERENCES needs_inbox (id),
  organisation_id TEXT NOT NULL REFERENCES organisation (id),
  -- What was told, as JSON.
  told TEXT NOT NULL,
  state TEXT NOT NULL REFERENCES need_state (word),
  state_at TIMESTAMP NOT NULL,
  -- Who brought it there; empty while it is new.
  state_by TEXT NOT NULL,
  -- The answer, or why it was set aside.
  reason TEXT,
  challenge_id TEXT REFERENCES challenge (id),
  -- The public process that its sender was told of.
  process_id TEXT REFERENCES process (id),
  shared BOOLEAN NOT NULL,
  -- Whoever left it and wants to hear of it; none for the anonymous.
  email TEXT,
  language TEXT NOT NULL,
  left_at TIMESTAMP NOT NULL,
  version BIGINT NOT NULL,
  changed BIGINT NOT NULL,
  CONSTRAINT need_is_gathered_into_a_challenge CHECK ((state = 'gathered') = (challenge_id IS NOT NULL)),
  CONSTRAINT need_is_settled_with_words CHECK ((state IN ('answered', 'set_aside')) = (reason IS NOT NULL))
);
CREATE INDEX need_of_inbox ON need (inbox_id, state, left_at);
CREATE INDEX need_of_body ON need (organisation_id, changed, id);
CREATE INDEX need_of_challenge ON need (challenge_id);
CREATE INDEX need_shared ON need (shared, changed, id);

-- "Det har vi også": a department of the same body, or another body; the newest word of each counts.
CREATE TABLE need_recognition (
  id TEXT NOT NULL PRIMARY KEY,
  need_id TEXT NOT NULL REFERENCES need (id),
  organisation_id TEXT NOT NULL REFERENCES organisation (id),
  department TEXT NOT NULL,
  department_key TEXT NOT NULL,
  -- How often they have it, as JSON.
  how_often TEXT,
  note TEXT NOT NULL,
  said_by TEXT NOT NULL,
  said_at TIMESTAMP NOT NULL
);
CREATE UNIQUE INDEX need_recognition_once ON need_recognition (need_id, organisation_id, department_key);
