DROP TABLE suggestion;
DROP TABLE suggestion_state;
