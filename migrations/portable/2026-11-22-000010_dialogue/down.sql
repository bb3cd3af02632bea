DROP TABLE signup;
DROP TABLE signup_status;
DROP TABLE question;
DROP TABLE question_status;
DROP TABLE dialogue_version;
DROP TABLE dialogue_version_kind;
DROP TABLE dialogue;
DROP TABLE dialogue_status;
