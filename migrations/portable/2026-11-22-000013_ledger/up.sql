-- The ledger of equal treatment, which only grows; and suppliers' written answers.

CREATE TABLE ledger_entry (
  number BIGINT NOT NULL PRIMARY KEY,
  at TIMESTAMP NOT NULL,
  dialogue_id TEXT NOT NULL,
  deed TEXT NOT NULL,
  -- What was done, as JSON; people stand in it by a keyed hash of their address.
  data TEXT NOT NULL,
  -- SHA-256 over the entry before and this one: no entry can be changed or taken out unseen.
  hash TEXT NOT NULL
);
CREATE INDEX ledger_entry_of_dialogue ON ledger_entry (dialogue_id, number);

CREATE TABLE written_answer (
  id TEXT NOT NULL PRIMARY KEY,
  dialogue_id TEXT NOT NULL REFERENCES dialogue (id),
  company TEXT NOT NULL,
  cvr TEXT,
  name TEXT NOT NULL,
  email TEXT NOT NULL,
  -- One text for each question of the notice, as JSON.
  answers TEXT NOT NULL,
  confidential TEXT,
  -- SHA-256 of what was received: what the receipt says.
  receipt TEXT NOT NULL,
  late INTEGER NOT NULL,
  received_at TIMESTAMP NOT NULL,
  CONSTRAINT written_answer_is_late_or_not CHECK (late IN (0, 1))
);
CREATE INDEX written_answer_to_dialogue ON written_answer (dialogue_id, received_at);
