DROP TABLE library_entry;
DROP TABLE opi_mark;
DROP TABLE opi_mark_state;
DROP TABLE opi_track;
DROP TABLE opi_phase;
DROP TABLE opi_checklist;
