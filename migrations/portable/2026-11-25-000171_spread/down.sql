CREATE TABLE adoption_kept AS
  SELECT a.id, a.process_id, a.organisation_id, a.adopted_on, a.way, a.created_at, EXISTS (
    SELECT 1 FROM adoption_stage s
    WHERE s.adoption_id = a.id AND s.stage IN ('in_use', 'practice_changed')
      AND s.turn = (SELECT MAX(newest.turn) FROM adoption_stage newest WHERE newest.adoption_id = a.id)) AS in_use
  FROM adoption a;
DROP TABLE outcome;
DROP TABLE outcome_status;
DROP TABLE adoption_stage;
DROP TABLE adoption_stage_word;
DROP TABLE adoption;
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
INSERT INTO adoption (id, process_id, organisation_id, adopted_on, way, in_use, created_at)
  SELECT id, process_id, organisation_id, adopted_on, way, in_use, created_at FROM adoption_kept;
DROP TABLE adoption_kept;
