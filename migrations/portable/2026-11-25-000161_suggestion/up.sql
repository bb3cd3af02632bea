-- What anybody suggests to a call, and which body is invited to own it.

CREATE TABLE suggestion_state (word TEXT NOT NULL PRIMARY KEY);
INSERT INTO suggestion_state (word) VALUES ('unconfirmed'), ('waiting'), ('invited'), ('accepted'), ('set_aside');

CREATE TABLE suggestion (
  id TEXT NOT NULL PRIMARY KEY,
  call_id TEXT NOT NULL REFERENCES call (id),
  -- What was told, as JSON.
  told TEXT NOT NULL,
  state TEXT NOT NULL REFERENCES suggestion_state (word),
  state_at TIMESTAMP NOT NULL,
  -- Why it was set aside.
  reason TEXT,
  -- The body that is invited, or took it on.
  organisation_id TEXT REFERENCES organisation (id),
  challenge_id TEXT REFERENCES challenge (id),
  -- Whoever suggested it, until it is settled.
  email TEXT,
  language TEXT NOT NULL,
  left_at TIMESTAMP NOT NULL,
  version BIGINT NOT NULL,
  changed BIGINT NOT NULL,
  CONSTRAINT suggestion_is_with_a_body CHECK ((state IN ('invited', 'accepted')) = (organisation_id IS NOT NULL)),
  CONSTRAINT suggestion_is_accepted_as_a_challenge CHECK ((state = 'accepted') = (challenge_id IS NOT NULL)),
  CONSTRAINT suggestion_is_set_aside_with_a_reason CHECK ((state = 'set_aside') = (reason IS NOT NULL))
);
CREATE INDEX suggestion_by_state ON suggestion (state, state_at, id);
CREATE INDEX suggestion_of_call ON suggestion (call_id, changed, id);
CREATE INDEX suggestion_with_body ON suggestion (organisation_id, state);
CREATE INDEX suggestion_of_challenge ON suggestion (challenge_id);
