-- What suppliers wish to hear about.

CREATE TABLE subscription_status (word TEXT NOT NULL PRIMARY KEY);
INSERT INTO subscription_status (word) VALUES ('unconfirmed'), ('confirmed'), ('unsubscribed');

CREATE TABLE subscription_frequency (word TEXT NOT NULL PRIMARY KEY);
INSERT INTO subscription_frequency (word) VALUES ('immediate'), ('daily'), ('weekly');

CREATE TABLE subscription (
  id TEXT NOT NULL PRIMARY KEY,
  email TEXT NOT NULL,
  email_key TEXT NOT NULL,
  language TEXT NOT NULL,
  frequency TEXT NOT NULL REFERENCES subscription_frequency (word),
  filter TEXT NOT NULL,
  status TEXT NOT NULL REFERENCES subscription_status (word),
  -- What was agreed to, when, and by which way it came.
  consent_text TEXT NOT NULL,
  consent_at TIMESTAMP NOT NULL,
  consent_source TEXT NOT NULL,
  confirmed_at TIMESTAMP,
  unsubscribed_at TIMESTAMP,
  created_at TIMESTAMP NOT NULL,
  updated_at TIMESTAMP NOT NULL,
  version BIGINT NOT NULL,
  CONSTRAINT subscription_is_confirmed_at_a_time CHECK (status <> 'confirmed' OR confirmed_at IS NOT NULL),
  CONSTRAINT subscription_is_left_at_a_time CHECK ((status = 'unsubscribed') = (unsubscribed_at IS NOT NULL))
);
CREATE INDEX subscription_of_address ON subscription (email_key);
CREATE INDEX subscription_by_status ON subscription (status, id);
