//! The service, tested from outside: a real server on a port of its own, a database of its own for each test, and
//! clients that check every answer against the spec.
//!
//! `cargo test` runs all of it on SQLite; with `SKALA_TEST_DATABASE_URL=postgres://USER@HOST/DATABASE` the same
//! tests run on PostgreSQL. [`support`] is the house; the modules are named like the slices they test, `story`
//! is the main job on one page, `story_whole` the whole road from a need to what its solution brought, and `web`, `spec`, `db`, `nodes`, `keep`, `smtp`, `program` and `architecture` test what all share.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a test that meets the unexpected stops on the spot"
)]

mod support;

mod account;
mod architecture;
mod archive;
mod authorization;
mod challenge;
mod commit;
mod crash;
mod criteria;
mod db;
mod desk;
mod dialogue;
mod dispatch;
mod feed;
mod import;
mod intake;
mod keep;
mod letter_of_intent;
mod matching;
mod need;
mod nodes;
mod organisation;
mod phase;
mod posting;
mod process;
mod program;
mod publication;
mod ready;
mod returned;
mod route;
mod seats;
mod signed;
mod site;
mod smtp;
mod spec;
mod sponsor;
mod spread;
mod story;
mod story_whole;
mod subscription;
mod succession;
mod suggestion;
mod support_request;
mod web;
mod words;
