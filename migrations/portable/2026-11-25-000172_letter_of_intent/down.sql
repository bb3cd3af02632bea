ALTER TABLE participant DROP COLUMN signed_on;
DROP TABLE signatory;
DROP TABLE signatory_state;
DROP TABLE signatory_kind;
DROP TABLE letter_comment;
DROP TABLE letter_version;
DROP TABLE letter_of_intent;
DROP TABLE letter_status;
DROP TABLE letter_template;
