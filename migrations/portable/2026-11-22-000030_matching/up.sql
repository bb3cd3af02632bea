-- What people say of two challenges, and which suggested groups they turned down.

CREATE TABLE match_verdict_word (word TEXT NOT NULL PRIMARY KEY);
INSERT INTO match_verdict_word (word) VALUES ('same'), ('related'), ('different');

-- Each time somebody said it; the newest counts.
CREATE TABLE match_verdict (
  id TEXT NOT NULL PRIMARY KEY,
  -- The two, in the order of their ids: a verdict holds both ways.
  first_id TEXT NOT NULL REFERENCES challenge (id),
  second_id TEXT NOT NULL REFERENCES challenge (id),
  verdict TEXT NOT NULL REFERENCES match_verdict_word (word),
  reason TEXT,
  said_by TEXT NOT NULL,
  said_at TIMESTAMP NOT NULL,
  counts BOOLEAN NOT NULL,
  CONSTRAINT match_verdict_is_of_two CHECK (first_id <> second_id)
);
CREATE UNIQUE INDEX match_verdict_once ON match_verdict (first_id, second_id) WHERE counts;
CREATE INDEX match_verdict_of_second ON match_verdict (second_id);

CREATE TABLE rejected_suggestion (
  id TEXT NOT NULL PRIMARY KEY,
  -- The challenges of the group, as a JSON list of ids.
  challenge_ids TEXT NOT NULL,
  reason TEXT NOT NULL,
  said_by TEXT NOT NULL,
  said_at TIMESTAMP NOT NULL
);
