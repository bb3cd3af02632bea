DROP TABLE need_recognition;
DROP TABLE need;
DROP TABLE needs_inbox;
DROP TABLE need_state;
