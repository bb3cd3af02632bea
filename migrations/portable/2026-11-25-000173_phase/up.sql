-- OPI phases: checklists in versions, the tracks of processes, and a library of tools and cases.

CREATE TABLE opi_checklist (
  version INTEGER NOT NULL PRIMARY KEY,
  body TEXT NOT NULL,
  written_by TEXT NOT NULL,
  written_at TIMESTAMP NOT NULL
);

CREATE TABLE opi_phase (word TEXT NOT NULL PRIMARY KEY);
INSERT INTO opi_phase (word) VALUES ('idea'), ('startup'), ('innovation'), ('market_maturation'), ('implementation');

CREATE TABLE opi_track (
  process_id TEXT NOT NULL PRIMARY KEY REFERENCES process (id),
  -- The checklist's version; 1 is built in and has no row.
  checklist INTEGER NOT NULL,
  phase TEXT NOT NULL REFERENCES opi_phase (word),
  finished_at TIMESTAMP,
  version BIGINT NOT NULL,
  created_at TIMESTAMP NOT NULL,
  CONSTRAINT opi_track_finishes_last CHECK (finished_at IS NULL OR phase = 'implementation')
);

CREATE TABLE opi_mark_state (word TEXT NOT NULL PRIMARY KEY);
INSERT INTO opi_mark_state (word) VALUES ('open'), ('done'), ('waived');

CREATE TABLE opi_mark (
  process_id TEXT NOT NULL REFERENCES opi_track (process_id),
  item_key TEXT NOT NULL,
  state TEXT NOT NULL REFERENCES opi_mark_state (word),
  marked_by TEXT NOT NULL,
  marked_at TIMESTAMP NOT NULL,
  reason TEXT,
  CONSTRAINT opi_mark_once PRIMARY KEY (process_id, item_key),
  CONSTRAINT opi_mark_waived_with_a_reason CHECK (state <> 'waived' OR reason IS NOT NULL)
);

CREATE TABLE library_entry (
  id TEXT NOT NULL PRIMARY KEY,
  kind TEXT NOT NULL,
  body TEXT NOT NULL,
  -- Words between bars: |idea|startup|
  phases TEXT NOT NULL,
  actors TEXT NOT NULL,
  themes TEXT NOT NULL,
  language TEXT NOT NULL,
  version BIGINT NOT NULL,
  changed BIGINT NOT NULL,
  created_at TIMESTAMP NOT NULL,
  updated_at TIMESTAMP NOT NULL
);
CREATE INDEX library_by_change ON library_entry (changed, id);
