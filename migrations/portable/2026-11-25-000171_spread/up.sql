-- Spread: the stages that a body comes through with a solution, whom to ask, and what it brought.

CREATE TABLE adoption_stage_word (word TEXT NOT NULL PRIMARY KEY);
INSERT INTO adoption_stage_word (word) VALUES ('planned'), ('bought'), ('in_use'), ('practice_changed'), ('ended');

-- Made anew without "in use", which the newest stage says.
CREATE TABLE adoption_kept AS SELECT * FROM adoption;
DROP TABLE adoption;
CREATE TABLE adoption (
  id TEXT NOT NULL PRIMARY KEY,
  process_id TEXT NOT NULL REFERENCES process (id),
  organisation_id TEXT NOT NULL REFERENCES organisation (id),
  adopted_on DATE NOT NULL,
  way TEXT NOT NULL,
  -- Whom to ask, as JSON; personal, and forgotten when it is told anew without.
  contact TEXT,
  -- Hours, volume and value expected in a year, as JSON.
  expected TEXT NOT NULL,
  created_at TIMESTAMP NOT NULL,
  CONSTRAINT adoption_once UNIQUE (process_id, organisation_id)
);
CREATE INDEX adoption_of_process ON adoption (process_id, adopted_on);
INSERT INTO adoption (id, process_id, organisation_id, adopted_on, way, contact, expected, created_at)
  SELECT id, process_id, organisation_id, adopted_on, way, NULL, '{}', created_at FROM adoption_kept;

CREATE TABLE adoption_stage (
  adoption_id TEXT NOT NULL REFERENCES adoption (id),
  turn BIGINT NOT NULL,
  stage TEXT NOT NULL REFERENCES adoption_stage_word (word),
  since DATE NOT NULL,
  said_by TEXT NOT NULL,
  said_at TIMESTAMP NOT NULL,
  CONSTRAINT adoption_stage_once PRIMARY KEY (adoption_id, turn)
);
-- "Not in use" claims the least.
INSERT INTO adoption_stage (adoption_id, turn, stage, since, said_by, said_at)
  SELECT id, 1, CASE WHEN in_use THEN 'in_use' ELSE 'planned' END, adopted_on, 'Skala', created_at FROM adoption_kept;
DROP TABLE adoption_kept;

CREATE TABLE outcome_status (word TEXT NOT NULL PRIMARY KEY);
INSERT INTO outcome_status (word) VALUES ('asked'), ('passed_over'), ('reported');

CREATE TABLE outcome (
  id TEXT NOT NULL PRIMARY KEY,
  adoption_id TEXT NOT NULL REFERENCES adoption (id),
  -- After how many months.
  months INTEGER NOT NULL,
  status TEXT NOT NULL REFERENCES outcome_status (word),
  asked_at TIMESTAMP,
  reminded_at TIMESTAMP,
  -- What was realised, as JSON.
  report TEXT,
  reported_at TIMESTAMP,
  reported_by TEXT,
  changed BIGINT NOT NULL,
  CONSTRAINT outcome_once UNIQUE (adoption_id, months),
  CONSTRAINT outcome_asked_at_a_moment CHECK ((status = 'asked') = (asked_at IS NOT NULL)),
  CONSTRAINT outcome_reported_says_what CHECK
    ((status = 'reported') = (report IS NOT NULL) AND (report IS NULL) = (reported_at IS NULL) AND (report IS NULL) = (reported_by IS NULL))
);
CREATE INDEX outcome_by_change ON outcome (changed, id);
