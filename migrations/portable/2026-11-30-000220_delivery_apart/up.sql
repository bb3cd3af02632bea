-- A delivery is written three times: queued, taken on lease, settled. What that costs is what a dispatch costs, so this
-- table carries no index that is not asked for, and its words are a CHECK: a foreign key would be looked up each time.
CREATE TABLE delivery_anew (
  id TEXT NOT NULL,
  urgency INTEGER NOT NULL,
  recipient TEXT NOT NULL,
  recipient_key TEXT NOT NULL,
  language TEXT NOT NULL,
  letter TEXT,
  dispatch_id TEXT,
  notice_version_id TEXT,
  subscription_id TEXT,
  why TEXT,
  status TEXT NOT NULL,
  attempts INTEGER NOT NULL,
  due_at TIMESTAMP NOT NULL,
  leased_until TIMESTAMP,
  queued_at TIMESTAMP NOT NULL,
  settled_at TIMESTAMP,
  answer TEXT,
  digest TEXT,
  bounced_at TIMESTAMP,
  bounce TEXT,
  CONSTRAINT delivery_key PRIMARY KEY (id),
  CONSTRAINT delivery_status_is_known CHECK (status IN ('queued', 'sent', 'failed', 'suppressed')),
  CONSTRAINT delivery_is_settled_when_it_has_left CHECK ((status = 'queued') = (settled_at IS NULL)),
  CONSTRAINT delivery_of_a_version_is_of_a_dispatch CHECK ((notice_version_id IS NULL) = (dispatch_id IS NULL))
);
INSERT INTO delivery_anew SELECT id, urgency, recipient, recipient_key, language, letter, dispatch_id, notice_version_id,
  subscription_id, why, status, attempts, due_at, leased_until, queued_at, settled_at, answer, digest, bounced_at, bounce
  FROM delivery;
DROP TABLE delivery;
ALTER TABLE delivery_anew RENAME TO delivery;
DROP TABLE delivery_status;

-- Nobody gets the same version twice. Led by the address, so that it finds all that an address got as well.
CREATE UNIQUE INDEX delivery_once ON delivery (recipient_key, notice_version_id);
-- What waits, in the order in which it goes. Leases have no index: what is on lease stands at its beginning.
CREATE INDEX delivery_due ON delivery (urgency, due_at, id) WHERE status = 'queued';
CREATE INDEX delivery_in_digest ON delivery (digest) WHERE digest IS NOT NULL;
CREATE INDEX delivery_of_dispatch ON delivery (dispatch_id, status, settled_at);
