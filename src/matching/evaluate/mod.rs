//! Measures the matching on a labelled set, and its speed on many documents.
//!
//! `skala evaluate matching DIR` reads `challenges.jsonl` (one challenge a line: `id`, `lang`, `title`, `problem`,
//! `desired_effect`, `affected_users`, `theme`, `cpv`, `topic` or null), `topics.json` (each topic's `neighbours`),
//! `suppliers.jsonl` (`description`, `cpv`, `relevant_topics`) and `hard_negatives.json` (challenge → the topic it is
//! not). It prints nDCG@10 (grades 2 the same topic, 1 a neighbouring one), P@1 and R@5, both as built in and by
//! five-fold cross-validation over topics, beside BM25 over Danish stems and runs of letters, and with
//! `--postgres URL` beside PostgreSQL's Danish full text and `pg_trgm`; R@20 of the suppliers' free text, and how much
//! of what a free-text subscription tells is to the point; B-cubed of the suggested groups over all challenges; the
//! share of look-alikes above 0.5; the calibration by tenths, in the whole and in small indexes drawn from it (see
//! [`small`]); and what each fold chose.
//!
//! `skala evaluate matching DIR --speed N` makes N challenges by recombining the set's sentences instead, and prints how
//! long the index took, what the process holds in memory, the median and the 99th percentile of a question, how
//! long a change takes, and with `--postgres URL` the median of PostgreSQL's full-text ranking of the same question (its
//! words joined by OR, a GIN index over the same rows). It may be repeated for a curve:
//! `--speed 1000 --speed 10000 --speed 100000`.

pub mod baseline;
pub mod labelled;
pub mod measures;
pub mod mix;
pub mod postgres;
pub mod report;
pub mod small;
pub mod speed;
