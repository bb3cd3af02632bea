CREATE TABLE delivery_status (word TEXT NOT NULL PRIMARY KEY);
INSERT INTO delivery_status (word) VALUES ('queued'), ('sent'), ('failed'), ('suppressed');
CREATE TABLE delivery_before (
  id TEXT NOT NULL PRIMARY KEY,
  urgency INTEGER NOT NULL,
  recipient TEXT NOT NULL,
  recipient_key TEXT NOT NULL,
  language TEXT NOT NULL,
  letter TEXT,
  dispatch_id TEXT,
  notice_version_id TEXT,
  subscription_id TEXT,
  why TEXT,
  status TEXT NOT NULL REFERENCES delivery_status (word),
  attempts INTEGER NOT NULL,
  due_at TIMESTAMP NOT NULL,
  leased_until TIMESTAMP,
  queued_at TIMESTAMP NOT NULL,
  settled_at TIMESTAMP,
  answer TEXT,
  digest TEXT,
  bounced_at TIMESTAMP,
  bounce TEXT,
  CONSTRAINT delivery_version_once UNIQUE (notice_version_id, recipient_key),
  CONSTRAINT delivery_is_settled_when_it_has_left CHECK ((status = 'queued') = (settled_at IS NULL)),
  CONSTRAINT delivery_of_a_version_is_of_a_dispatch CHECK ((notice_version_id IS NULL) = (dispatch_id IS NULL))
);
INSERT INTO delivery_before SELECT id, urgency, recipient, recipient_key, language, letter, dispatch_id, notice_version_id,
  subscription_id, why, status, attempts, due_at, leased_until, queued_at, settled_at, answer, digest, bounced_at, bounce
  FROM delivery;
DROP TABLE delivery;
ALTER TABLE delivery_before RENAME TO delivery;
CREATE INDEX delivery_due ON delivery (status, urgency, due_at, id);
CREATE INDEX delivery_of_dispatch ON delivery (dispatch_id, status, settled_at);
CREATE INDEX delivery_to_recipient ON delivery (recipient_key);
CREATE INDEX delivery_in_digest ON delivery (digest);
CREATE INDEX delivery_of_subscription ON delivery (subscription_id);
CREATE INDEX delivery_on_lease ON delivery (leased_until) WHERE leased_until IS NOT NULL;
