DROP TABLE write_mark;
