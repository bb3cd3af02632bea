DROP TABLE rejected_suggestion;
DROP TABLE match_verdict;
DROP TABLE match_verdict_word;
