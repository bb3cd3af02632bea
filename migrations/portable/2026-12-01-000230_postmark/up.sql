-- What became of letters, from the moment it is known until it is settled: one row for all that were done at once. No
-- foreign key and no index but the key: it is written hundreds of times a second and empty when nothing goes.
CREATE TABLE postmark (
  id TEXT NOT NULL,
  marked_at TIMESTAMP NOT NULL,
  letters TEXT NOT NULL,
  CONSTRAINT postmark_key PRIMARY KEY (id)
);
