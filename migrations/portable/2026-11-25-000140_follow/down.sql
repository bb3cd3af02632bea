DROP INDEX signup_by_hold;
DROP TABLE followed_dialogue;
