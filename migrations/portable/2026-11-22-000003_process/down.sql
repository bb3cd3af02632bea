DROP TABLE adoption;
DROP TABLE timeline_entry;
DROP TABLE commitment;
DROP TABLE participant;
DROP TABLE participant_state;
DROP TABLE participant_role;
DROP TABLE process;
DROP TABLE process_status;
