-- Anchoring, confirmed by the sponsors themselves: whom a body asked by mail, and what they answered.

CREATE TABLE anchoring_side (word TEXT NOT NULL PRIMARY KEY);
INSERT INTO anchoring_side (word) VALUES ('political'), ('administrative');
CREATE TABLE sponsor_answer (word TEXT NOT NULL PRIMARY KEY);
INSERT INTO sponsor_answer (word) VALUES ('waiting'), ('confirmed'), ('refused');

-- One a side: asking anew replaces it, and what was before is in the challenge's history.
CREATE TABLE sponsor_request (
  id TEXT NOT NULL PRIMARY KEY,
  challenge_id TEXT NOT NULL REFERENCES challenge (id),
  side TEXT NOT NULL REFERENCES anchoring_side (word),
  name TEXT NOT NULL,
  title TEXT NOT NULL,
  -- Only while an answer is waited for.
  email TEXT,
  language TEXT NOT NULL,
  -- SHA-256 of what the sponsor was shown: another text is not the one that was confirmed.
  text_digest TEXT NOT NULL,
  answer TEXT NOT NULL REFERENCES sponsor_answer (word),
  -- When the answer came; while waiting, when an earlier no did.
  answered_at TIMESTAMP,
  reason TEXT,
  asked_by TEXT NOT NULL,
  asked_at TIMESTAMP NOT NULL,
  mailed_at TIMESTAMP NOT NULL,
  expires_at TIMESTAMP NOT NULL,
  CONSTRAINT sponsor_request_once UNIQUE (challenge_id, side),
  CONSTRAINT sponsor_request_answered_at_a_time CHECK (answer = 'waiting' OR answered_at IS NOT NULL),
  CONSTRAINT sponsor_request_keeps_no_address CHECK (answer = 'waiting' OR email IS NULL)
);
CREATE INDEX sponsor_request_by_expiry ON sponsor_request (expires_at);
