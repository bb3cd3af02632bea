-- Dispatches that staff stop and let go on; mail that comes back.

CREATE TABLE dispatch_pause_status (word TEXT NOT NULL PRIMARY KEY);
-- paused: its letters wait; resuming: they are being put back among those that go.
INSERT INTO dispatch_pause_status (word) VALUES ('paused'), ('resuming');

CREATE TABLE dispatch_pause (
  dispatch_id TEXT NOT NULL PRIMARY KEY REFERENCES dispatch (id),
  status TEXT NOT NULL REFERENCES dispatch_pause_status (word),
  paused_at TIMESTAMP NOT NULL
);

-- When and with which words a letter that was sent came back.
ALTER TABLE delivery ADD COLUMN bounced_at TIMESTAMP;
ALTER TABLE delivery ADD COLUMN bounce TEXT;

-- How fast a dispatch goes is counted from what was settled in the last minute.
DROP INDEX delivery_of_dispatch;
CREATE INDEX delivery_of_dispatch ON delivery (dispatch_id, status, settled_at);
-- What is on lease is little among much that waits.
CREATE INDEX delivery_on_lease ON delivery (leased_until) WHERE leased_until IS NOT NULL;

-- Letters that came back from an address, until they no longer count.
CREATE TABLE bounce (
  delivery_id TEXT NOT NULL PRIMARY KEY,
  -- A keyed hash: the address is nobody's business here.
  address_hash TEXT NOT NULL,
  bounced_at TIMESTAMP NOT NULL
);
CREATE INDEX bounce_of_address ON bounce (address_hash, bounced_at);

-- Addresses that get nothing they subscribed to until somebody proves anew that they are read.
CREATE TABLE suppression (
  address_hash TEXT NOT NULL PRIMARY KEY,
  reason TEXT NOT NULL,
  suppressed_at TIMESTAMP NOT NULL
);
