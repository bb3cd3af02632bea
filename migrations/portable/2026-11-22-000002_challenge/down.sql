DROP TABLE recognition;
DROP TABLE commitment_level;
DROP TABLE challenge_cpv;
DROP TABLE challenge;
DROP TABLE challenge_status;
DROP TABLE call;
DROP TABLE criteria_set;
