DROP INDEX challenge_waiting;
DROP TABLE assignment;
DROP TABLE nuts_code;
DROP TABLE cpv_code;
