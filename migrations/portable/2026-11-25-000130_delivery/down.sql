DROP TABLE suppression;
DROP TABLE bounce;
DROP INDEX delivery_on_lease;
DROP INDEX delivery_of_dispatch;
CREATE INDEX delivery_of_dispatch ON delivery (dispatch_id, status);
ALTER TABLE delivery DROP COLUMN bounce;
ALTER TABLE delivery DROP COLUMN bounced_at;
DROP TABLE dispatch_pause;
DROP TABLE dispatch_pause_status;
