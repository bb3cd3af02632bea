DROP TABLE written_answer;
DROP TABLE ledger_entry;
