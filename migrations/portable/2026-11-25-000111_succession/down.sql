ALTER TABLE organisation DROP COLUMN handed_over_at;
