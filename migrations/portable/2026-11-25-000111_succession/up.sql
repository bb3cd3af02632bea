-- When an organisation handed over what it had to its successor; none while it has not.
ALTER TABLE organisation ADD COLUMN handed_over_at TIMESTAMP;
