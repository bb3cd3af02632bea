DROP TABLE succession;
DROP TABLE sign_in_attempt;
DROP TABLE anchoring_request;
DROP TABLE anchoring_side;
DROP INDEX challenge_waiting;
DROP TABLE assignment;
DROP TABLE nuts_code;
DROP TABLE cpv_code;
