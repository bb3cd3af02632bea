-- Refresh tokens are forgotten when they expire.
CREATE INDEX refresh_token_by_expiry ON refresh_token (expires_at);
