DROP INDEX refresh_token_by_expiry;
