-- Help that is asked for.

CREATE TABLE support_kind (word TEXT NOT NULL PRIMARY KEY);
INSERT INTO support_kind (word) VALUES ('knowledge'), ('tool'), ('guide'), ('case'), ('template'), ('sparring'), ('network'),
  ('market_dialogue'), ('partnership_and_financing'), ('matchmaking'), ('other');

CREATE TABLE support_user_group (word TEXT NOT NULL PRIMARY KEY);
INSERT INTO support_user_group (word) VALUES ('procurement'), ('innovation'), ('management'), ('frontline'), ('legal'), ('company'),
  ('knowledge_institution'), ('other');

CREATE TABLE support_state (word TEXT NOT NULL PRIMARY KEY);
INSERT INTO support_state (word) VALUES ('unconfirmed'), ('waiting'), ('answered'), ('closed');

CREATE TABLE support_request (
  id TEXT NOT NULL PRIMARY KEY,
  kind TEXT NOT NULL REFERENCES support_kind (word),
  user_group TEXT NOT NULL REFERENCES support_user_group (word),
  text TEXT NOT NULL,
  -- Who asked, for those who are signed in.
  organisation_id TEXT REFERENCES organisation (id),
  user_id TEXT REFERENCES user_account (id),
  -- Whom to answer, until it is closed.
  email TEXT,
  language TEXT NOT NULL,
  state TEXT NOT NULL REFERENCES support_state (word),
  state_at TIMESTAMP NOT NULL,
  answer TEXT,
  -- Why it was closed without an answer.
  reason TEXT,
  asked_at TIMESTAMP NOT NULL,
  version BIGINT NOT NULL,
  changed BIGINT NOT NULL,
  CONSTRAINT support_request_is_answered_with_words CHECK (state <> 'answered' OR answer IS NOT NULL),
  CONSTRAINT support_request_is_closed_with_words CHECK (state <> 'closed' OR answer IS NOT NULL OR reason IS NOT NULL),
  CONSTRAINT support_request_is_forgotten_when_closed CHECK (state <> 'closed' OR email IS NULL)
);
CREATE INDEX support_request_by_state ON support_request (state, state_at, id);
CREATE INDEX support_request_by_time ON support_request (asked_at);
CREATE INDEX support_request_of_user ON support_request (user_id);
