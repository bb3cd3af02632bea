-- People: sessions that can be told apart, accounts that can be changed and closed, guesses that are slowed down.

ALTER TABLE user_account ADD COLUMN version BIGINT NOT NULL DEFAULT 1;
ALTER TABLE user_account ADD COLUMN changed BIGINT NOT NULL DEFAULT 0;
-- Since when the account is closed; none while it can be used.
ALTER TABLE user_account ADD COLUMN deactivated_at TIMESTAMP;
CREATE INDEX user_account_by_change ON user_account (changed, id);
CREATE INDEX user_account_of_organisation ON user_account (organisation_id);

-- When its newest refresh token was drawn; none in sessions that are older than this column.
ALTER TABLE session ADD COLUMN last_used_at TIMESTAMP;
-- Browser and system in a few words, and the network without its last part.
ALTER TABLE session ADD COLUMN device TEXT NOT NULL DEFAULT '';
ALTER TABLE session ADD COLUMN network TEXT NOT NULL DEFAULT '';

-- Tries to sign in that have not succeeded, for a day. Addresses are kept as digests.
CREATE TABLE sign_in_attempt (
  id TEXT NOT NULL PRIMARY KEY,
  account_key TEXT NOT NULL,
  place_key TEXT NOT NULL,
  tried_at TIMESTAMP NOT NULL
);
CREATE INDEX sign_in_attempt_of_account ON sign_in_attempt (account_key, tried_at);
CREATE INDEX sign_in_attempt_from_place ON sign_in_attempt (place_key, tried_at);
CREATE INDEX sign_in_attempt_by_age ON sign_in_attempt (tried_at);

-- From where an account was signed in to: there its owner is known.
CREATE TABLE sign_in_place (
  account_key TEXT NOT NULL,
  place_key TEXT NOT NULL,
  signed_in_at TIMESTAMP NOT NULL,
  PRIMARY KEY (account_key, place_key)
);
CREATE INDEX sign_in_place_by_age ON sign_in_place (signed_in_at);

-- Wishes for a link that sets a new password, until they are looked at; known addresses and others alike.
CREATE TABLE password_request (
  id TEXT NOT NULL PRIMARY KEY,
  email TEXT NOT NULL,
  language TEXT NOT NULL,
  asked_at TIMESTAMP NOT NULL
);
