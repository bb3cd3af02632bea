DROP TABLE postmark;
