-- Intake: reference lists, and who of the staff looks at what.

-- The official lists, as they were loaded; while one is empty, its codes are checked by their form alone.
CREATE TABLE cpv_code (
  code TEXT NOT NULL PRIMARY KEY,
  label_da TEXT NOT NULL,
  label_en TEXT NOT NULL
);
CREATE TABLE nuts_code (
  code TEXT NOT NULL PRIMARY KEY,
  country TEXT NOT NULL,
  label_da TEXT NOT NULL,
  label_en TEXT NOT NULL
);
CREATE INDEX nuts_code_of_country ON nuts_code (country);

-- Which of the staff looks at a challenge that waits for a decision.
CREATE TABLE assignment (
  challenge_id TEXT NOT NULL PRIMARY KEY REFERENCES challenge (id),
  user_id TEXT NOT NULL REFERENCES user_account (id),
  user_name TEXT NOT NULL,
  assigned_at TIMESTAMP NOT NULL
);
CREATE INDEX challenge_waiting ON challenge (status, status_at, id);
