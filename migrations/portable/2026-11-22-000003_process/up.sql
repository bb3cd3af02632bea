-- Processes: challenges bundled, who takes part, what they want, how far it has come, and where it spread.

CREATE TABLE process_status (word TEXT NOT NULL PRIMARY KEY);
INSERT INTO process_status (word) VALUES ('preparing'), ('active'), ('paused'), ('completed'), ('abandoned');

CREATE TABLE process (
  id TEXT NOT NULL PRIMARY KEY,
  title TEXT NOT NULL,
  summary TEXT NOT NULL,
  status TEXT NOT NULL REFERENCES process_status (word),
  lead_organisation_id TEXT REFERENCES organisation (id),
  -- The cap on purchase options, as JSON money.
  option_cap TEXT,
  -- The steps' states, as JSON.
  steps TEXT NOT NULL,
  version BIGINT NOT NULL,
  changed BIGINT NOT NULL,
  created_at TIMESTAMP NOT NULL,
  updated_at TIMESTAMP NOT NULL
);
CREATE INDEX process_by_change ON process (changed, id);

CREATE TABLE participant_role (word TEXT NOT NULL PRIMARY KEY);
INSERT INTO participant_role (word) VALUES
  ('need_owner'), ('process_lead'), ('project_manager'), ('scaling_partner'), ('knowledge_partner'), ('supporter');
CREATE TABLE participant_state (word TEXT NOT NULL PRIMARY KEY);
INSERT INTO participant_state (word) VALUES ('interested'), ('invited'), ('guest'), ('partner'), ('left');

CREATE TABLE participant (
  id TEXT NOT NULL PRIMARY KEY,
  process_id TEXT NOT NULL REFERENCES process (id),
  organisation_id TEXT NOT NULL REFERENCES organisation (id),
  role TEXT NOT NULL REFERENCES participant_role (word),
  state TEXT NOT NULL REFERENCES participant_state (word),
  joined_on DATE NOT NULL,
  left_on DATE,
  CONSTRAINT participant_once UNIQUE (process_id, organisation_id),
  CONSTRAINT participant_who_left_left_on_a_day CHECK ((state = 'left') = (left_on IS NOT NULL)),
  CONSTRAINT participant_leaves_after_joining CHECK (left_on IS NULL OR left_on >= joined_on)
);

-- What a body wants of the process, each time it said so; the newest counts.
CREATE TABLE commitment (
  id TEXT NOT NULL PRIMARY KEY,
  process_id TEXT NOT NULL REFERENCES process (id),
  organisation_id TEXT NOT NULL REFERENCES organisation (id),
  level TEXT NOT NULL REFERENCES commitment_level (word),
  -- Volume, values and signature, as JSON.
  figures TEXT NOT NULL,
  said_by TEXT NOT NULL,
  said_at TIMESTAMP NOT NULL,
  counts BOOLEAN NOT NULL
);
CREATE UNIQUE INDEX commitment_once ON commitment (process_id, organisation_id) WHERE counts;
CREATE INDEX commitment_of_process ON commitment (process_id, said_at);

CREATE TABLE timeline_entry (
  id TEXT NOT NULL PRIMARY KEY,
  process_id TEXT NOT NULL REFERENCES process (id),
  happened_on DATE NOT NULL,
  -- Kind, title, precision and link, as JSON.
  body TEXT NOT NULL,
  created_at TIMESTAMP NOT NULL
);
CREATE INDEX timeline_of_process ON timeline_entry (process_id, happened_on);

CREATE TABLE adoption (
  id TEXT NOT NULL PRIMARY KEY,
  process_id TEXT NOT NULL REFERENCES process (id),
  organisation_id TEXT NOT NULL REFERENCES organisation (id),
  adopted_on DATE NOT NULL,
  way TEXT NOT NULL,
  in_use BOOLEAN NOT NULL,
  created_at TIMESTAMP NOT NULL,
  CONSTRAINT adoption_once UNIQUE (process_id, organisation_id)
);
CREATE INDEX adoption_of_process ON adoption (process_id, adopted_on);
