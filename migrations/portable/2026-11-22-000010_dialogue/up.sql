-- Market dialogues: their versions, the questions to them, the sign-ups to their events.

CREATE TABLE dialogue_status (word TEXT NOT NULL PRIMARY KEY);
INSERT INTO dialogue_status (word) VALUES ('draft'), ('published'), ('closed'), ('cancelled');

CREATE TABLE dialogue (
  id TEXT NOT NULL PRIMARY KEY,
  process_id TEXT NOT NULL REFERENCES process (id),
  status TEXT NOT NULL REFERENCES dialogue_status (word),
  -- The notice as it stands now, as JSON; what the market saw is kept in dialogue_version.
  notice TEXT NOT NULL,
  -- Title and description, folded for searching.
  words_key TEXT NOT NULL,
  published_at TIMESTAMP,
  number INTEGER,
  ended_at TIMESTAMP,
  -- The summary that closed it, or the reason why it was cancelled.
  ending TEXT,
  version BIGINT NOT NULL,
  changed BIGINT NOT NULL,
  created_at TIMESTAMP NOT NULL,
  updated_at TIMESTAMP NOT NULL,
  CONSTRAINT dialogue_is_numbered_once_published CHECK ((published_at IS NULL) = (number IS NULL)),
  CONSTRAINT dialogue_draft_is_unseen CHECK (status <> 'draft' OR published_at IS NULL),
  CONSTRAINT dialogue_on_the_market_was_published CHECK (status NOT IN ('published', 'closed') OR published_at IS NOT NULL),
  CONSTRAINT dialogue_ends_with_words CHECK ((status IN ('closed', 'cancelled')) = (ended_at IS NOT NULL)),
  CONSTRAINT dialogue_ends_at_a_time CHECK ((ended_at IS NULL) = (ending IS NULL))
);
CREATE INDEX dialogue_by_change ON dialogue (changed, id);
CREATE INDEX dialogue_of_process ON dialogue (process_id);
CREATE INDEX dialogue_by_publication ON dialogue (published_at);

CREATE TABLE dialogue_version_kind (word TEXT NOT NULL PRIMARY KEY);
INSERT INTO dialogue_version_kind (word) VALUES ('notice'), ('closing'), ('cancellation');

CREATE TABLE dialogue_version (
  id TEXT NOT NULL PRIMARY KEY,
  dialogue_id TEXT NOT NULL REFERENCES dialogue (id),
  number INTEGER NOT NULL,
  kind TEXT NOT NULL REFERENCES dialogue_version_kind (word),
  notice TEXT NOT NULL,
  words TEXT,
  published_at TIMESTAMP NOT NULL,
  published_by TEXT NOT NULL,
  CONSTRAINT dialogue_version_once UNIQUE (dialogue_id, number),
  CONSTRAINT dialogue_version_says_why CHECK (number = 1 OR words IS NOT NULL)
);

CREATE TABLE question_status (word TEXT NOT NULL PRIMARY KEY);
INSERT INTO question_status (word) VALUES ('unconfirmed'), ('asked'), ('answered'), ('rejected');

CREATE TABLE question (
  id TEXT NOT NULL PRIMARY KEY,
  dialogue_id TEXT NOT NULL REFERENCES dialogue (id),
  email TEXT,
  -- A keyed hash of address and dialogue: the same asker is known again, in this dialogue only.
  asker_key TEXT NOT NULL,
  asker INTEGER,
  text TEXT NOT NULL,
  language TEXT NOT NULL,
  status TEXT NOT NULL REFERENCES question_status (word),
  answer TEXT,
  settled_at TIMESTAMP,
  changed BIGINT NOT NULL,
  asked_at TIMESTAMP NOT NULL,
  CONSTRAINT question_has_an_asker_once_confirmed CHECK ((status = 'unconfirmed') = (asker IS NULL)),
  CONSTRAINT question_is_settled_with_words CHECK ((status IN ('answered', 'rejected')) = (settled_at IS NOT NULL)),
  CONSTRAINT question_is_settled_at_a_time CHECK ((settled_at IS NULL) = (answer IS NULL))
);
CREATE INDEX question_of_dialogue ON question (dialogue_id, asker_key);

CREATE TABLE signup_status (word TEXT NOT NULL PRIMARY KEY);
INSERT INTO signup_status (word) VALUES ('unconfirmed'), ('confirmed'), ('waiting'), ('cancelled');

CREATE TABLE signup (
  id TEXT NOT NULL PRIMARY KEY,
  event_id TEXT NOT NULL,
  dialogue_id TEXT NOT NULL REFERENCES dialogue (id),
  company TEXT NOT NULL,
  cvr TEXT,
  name TEXT NOT NULL,
  email TEXT NOT NULL,
  email_key TEXT NOT NULL,
  language TEXT NOT NULL,
  status TEXT NOT NULL REFERENCES signup_status (word),
  held_until TIMESTAMP,
  slot TIMESTAMP,
  signed_up_at TIMESTAMP NOT NULL,
  confirmed_at TIMESTAMP,
  CONSTRAINT signup_once UNIQUE (event_id, email_key),
  CONSTRAINT signup_holds_a_seat_until_confirmed CHECK (held_until IS NULL OR status = 'unconfirmed')
);
CREATE INDEX signup_of_dialogue ON signup (dialogue_id);
CREATE INDEX signup_of_address ON signup (email_key);
