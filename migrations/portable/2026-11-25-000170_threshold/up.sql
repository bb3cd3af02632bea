-- The EU's thresholds for tenders, as an operator loads them.

CREATE TABLE threshold (
  first_year INTEGER NOT NULL,
  last_year INTEGER NOT NULL,
  authority TEXT NOT NULL,
  category TEXT NOT NULL,
  -- Whole units without VAT; an empty figure was not found.
  eur BIGINT,
  dkk BIGINT,
  basis TEXT NOT NULL,
  CONSTRAINT threshold_once PRIMARY KEY (first_year, authority, category),
  CONSTRAINT threshold_period_runs_forward CHECK (last_year >= first_year)
);
