-- Intake: reference lists, who looks at what, what sponsors answered, and who tried to sign in.

-- The official lists, as they were loaded; while one is empty, its codes are checked by their form alone.
CREATE TABLE cpv_code (
  code TEXT NOT NULL PRIMARY KEY,
  label_da TEXT NOT NULL,
  label_en TEXT NOT NULL
);
CREATE TABLE nuts_code (
  code TEXT NOT NULL PRIMARY KEY,
  country TEXT NOT NULL,
  label_da TEXT NOT NULL,
  label_en TEXT NOT NULL
);
CREATE INDEX nuts_code_of_country ON nuts_code (country);

-- Which of the staff looks at a challenge that waits for a decision.
CREATE TABLE assignment (
  challenge_id TEXT NOT NULL PRIMARY KEY REFERENCES challenge (id),
  user_id TEXT NOT NULL REFERENCES user_account (id),
  user_name TEXT NOT NULL,
  assigned_at TIMESTAMP NOT NULL
);
CREATE INDEX challenge_waiting ON challenge (status, status_at, id);

CREATE TABLE anchoring_side (word TEXT NOT NULL PRIMARY KEY);
INSERT INTO anchoring_side (word) VALUES ('political'), ('administrative');

-- A sponsor was asked whether they stand behind a text. Bound to that text: when it changes, the answer no longer counts.
CREATE TABLE anchoring_request (
  id TEXT NOT NULL PRIMARY KEY,
  challenge_id TEXT NOT NULL REFERENCES challenge (id),
  side TEXT NOT NULL REFERENCES anchoring_side (word),
  email TEXT NOT NULL,
  -- Digest of the text and the sponsor's name that the question was about.
  text_digest TEXT NOT NULL,
  asked_at TIMESTAMP NOT NULL,
  asked_by TEXT NOT NULL,
  expires_at TIMESTAMP NOT NULL,
  confirmed BOOLEAN,
  answered_at TIMESTAMP,
  CONSTRAINT anchoring_request_is_answered_at_a_time CHECK ((confirmed IS NULL) = (answered_at IS NULL))
);
CREATE INDEX anchoring_request_of_challenge ON anchoring_request (challenge_id, side, asked_at);

-- Failed sign-ins, by keyed hashes of address and account: nobody can read from here who tried what.
CREATE TABLE sign_in_attempt (
  key TEXT NOT NULL PRIMARY KEY,
  failures INTEGER NOT NULL,
  last_failed_at TIMESTAMP,
  -- The last time that somebody signed in by this address and account.
  succeeded_at TIMESTAMP
);

-- When the members and challenges of an organisation went over to its successor.
CREATE TABLE succession (
  organisation_id TEXT NOT NULL PRIMARY KEY REFERENCES organisation (id),
  successor_id TEXT NOT NULL REFERENCES organisation (id),
  succeeded_at TIMESTAMP NOT NULL
);
