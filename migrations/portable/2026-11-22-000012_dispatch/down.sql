DROP TABLE confirmation_request;
DROP INDEX delivery_of_subscription;
DROP INDEX delivery_in_digest;
ALTER TABLE delivery DROP COLUMN digest;
DROP TABLE dispatch;
DROP TABLE dispatch_status;
