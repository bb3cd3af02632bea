DROP TABLE sponsor_request;
DROP TABLE sponsor_answer;
DROP TABLE anchoring_side;
