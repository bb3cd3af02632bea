-- One dispatch for each version of a dialogue's notice.

CREATE TABLE dispatch_status (word TEXT NOT NULL PRIMARY KEY);
-- open: recipients are being found; expanded: every recipient has a delivery; done: every delivery is settled.
INSERT INTO dispatch_status (word) VALUES ('open'), ('expanded'), ('done');

CREATE TABLE dispatch (
  id TEXT NOT NULL PRIMARY KEY,
  dialogue_id TEXT NOT NULL REFERENCES dialogue (id),
  notice_version_id TEXT NOT NULL REFERENCES dialogue_version (id),
  status TEXT NOT NULL REFERENCES dispatch_status (word),
  -- The last subscription that was looked at: where to go on after a stop.
  place TEXT NOT NULL,
  opened_at TIMESTAMP NOT NULL,
  expanded_at TIMESTAMP,
  done_at TIMESTAMP,
  CONSTRAINT dispatch_of_version_once UNIQUE (notice_version_id),
  CONSTRAINT dispatch_is_expanded_at_a_time CHECK ((status = 'open') = (expanded_at IS NULL)),
  CONSTRAINT dispatch_is_done_at_a_time CHECK ((status = 'done') = (done_at IS NOT NULL))
);
CREATE INDEX dispatch_by_status ON dispatch (status, id);
CREATE INDEX dispatch_of_dialogue ON dispatch (dialogue_id);

-- Letters that go together in one digest: all that one subscriber has waiting for one moment.
ALTER TABLE delivery ADD COLUMN digest TEXT;
CREATE INDEX delivery_in_digest ON delivery (digest);

-- When somebody was asked to confirm something: the bound on how many such letters one address can be made to get.
CREATE TABLE confirmation_request (
  id TEXT NOT NULL PRIMARY KEY,
  recipient_key TEXT NOT NULL,
  asked_at TIMESTAMP NOT NULL
);
CREATE INDEX confirmation_request_to ON confirmation_request (recipient_key, asked_at);

CREATE INDEX delivery_of_subscription ON delivery (subscription_id);
