-- The last change of each process that writes: a writer whose commit was cut off learns here what became of it.
CREATE TABLE write_mark (
  writer TEXT NOT NULL PRIMARY KEY,
  change BIGINT NOT NULL
);
