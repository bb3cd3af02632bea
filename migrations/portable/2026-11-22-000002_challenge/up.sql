-- What challenges are checked against, the challenges, and who recognises them.

CREATE TABLE criteria_set (
  key TEXT NOT NULL,
  version INTEGER NOT NULL,
  body TEXT NOT NULL,
  created_at TIMESTAMP NOT NULL,
  PRIMARY KEY (key, version),
  CONSTRAINT criteria_set_versions_count_up CHECK (version >= 1)
);

CREATE TABLE call (
  id TEXT NOT NULL PRIMARY KEY,
  title TEXT NOT NULL,
  theme TEXT NOT NULL,
  description TEXT NOT NULL,
  criteria_set TEXT NOT NULL,
  opens_at TIMESTAMP NOT NULL,
  closes_at TIMESTAMP,
  changed BIGINT NOT NULL,
  created_at TIMESTAMP NOT NULL,
  CONSTRAINT call_closes_after_it_opens CHECK (closes_at IS NULL OR closes_at > opens_at)
);
CREATE INDEX call_by_change ON call (changed, id);

CREATE TABLE challenge_status (word TEXT NOT NULL PRIMARY KEY);
INSERT INTO challenge_status (word) VALUES
  ('draft'), ('submitted'), ('returned'), ('approved'), ('declined'), ('grouped'), ('withdrawn');

CREATE TABLE challenge (
  id TEXT NOT NULL PRIMARY KEY,
  organisation_id TEXT NOT NULL REFERENCES organisation (id),
  call_id TEXT REFERENCES call (id),
  theme TEXT NOT NULL,
  -- The body's own words and figures, as JSON.
  description TEXT NOT NULL,
  -- Title, problem and effect, folded: what a search looks through.
  words TEXT NOT NULL,
  status TEXT NOT NULL REFERENCES challenge_status (word),
  -- When it came into this status, and by whom.
  status_at TIMESTAMP NOT NULL,
  status_by TEXT NOT NULL,
  -- Why, where the status says why: returned, declined, approved, withdrawn.
  reason TEXT,
  -- Whether staff decided against the verdict.
  overridden BOOLEAN NOT NULL,
  submitted_at TIMESTAMP,
  -- The process it is in while it is grouped.
  process_id TEXT,
  -- The newest assessment, as JSON; earlier ones are in its history.
  assessment TEXT NOT NULL,
  version BIGINT NOT NULL,
  changed BIGINT NOT NULL,
  created_at TIMESTAMP NOT NULL,
  updated_at TIMESTAMP NOT NULL,
  CONSTRAINT challenge_is_grouped_in_a_process CHECK ((status = 'grouped') = (process_id IS NOT NULL)),
  CONSTRAINT challenge_decision_says_why CHECK (status NOT IN ('returned', 'declined') OR reason IS NOT NULL),
  CONSTRAINT challenge_override_says_why CHECK (NOT overridden OR reason IS NOT NULL),
  CONSTRAINT challenge_was_submitted CHECK (status IN ('draft', 'withdrawn') OR submitted_at IS NOT NULL)
);
CREATE INDEX challenge_by_change ON challenge (changed, id);
CREATE INDEX challenge_of_organisation ON challenge (organisation_id, changed);
CREATE INDEX challenge_by_status ON challenge (status, changed);
CREATE INDEX challenge_of_process ON challenge (process_id);

CREATE TABLE challenge_cpv (
  challenge_id TEXT NOT NULL REFERENCES challenge (id),
  code TEXT NOT NULL,
  PRIMARY KEY (challenge_id, code)
);
CREATE INDEX challenge_cpv_by_code ON challenge_cpv (code, challenge_id);

CREATE TABLE commitment_level (word TEXT NOT NULL PRIMARY KEY, rank INTEGER NOT NULL);
INSERT INTO commitment_level (word, rank) VALUES
  ('withdrawn', 0), ('recognises', 1), ('interested', 2), ('intends', 3), ('option', 4), ('committed', 5);

-- "Det har vi også": what another body said, each time it said it; the newest counts.
CREATE TABLE recognition (
  id TEXT NOT NULL PRIMARY KEY,
  challenge_id TEXT NOT NULL REFERENCES challenge (id),
  organisation_id TEXT NOT NULL REFERENCES organisation (id),
  level TEXT NOT NULL REFERENCES commitment_level (word),
  -- Volume, value, hours and note, as JSON.
  figures TEXT NOT NULL,
  said_by TEXT NOT NULL,
  said_at TIMESTAMP NOT NULL,
  -- True for the one that counts: a body is counted once.
  counts BOOLEAN NOT NULL
);
CREATE UNIQUE INDEX recognition_once ON recognition (challenge_id, organisation_id) WHERE counts;
CREATE INDEX recognition_of_challenge ON recognition (challenge_id, said_at);
