//! # Skala
//!
//! Matchmaking for Denmark's *skaleringsprocesser*: public bodies register a shared challenge, the service checks
//! it against CO-PI's criteria and shows who else has the same need; CO-PI's staff approve and bundle challenges into
//! processes with one aggregated demand; and suppliers who subscribed hear of the market dialogue by mail, all at
//! the same time and none twice.
//!
//! The modules, bottom-up; each uses only those above it in this list:
//!
//! | module | what it is |
//! |---|---|
//! | [`kernel`] | the vocabulary all share: ids, text, e-mail, CVR, CPV, NUTS, money, pages; knows nothing |
//! | [`db`] | one connection type, reads, one writer, migrations |
//! | [`mail`] | a letter, and the ways to post it |
//! | [`config`] | environment → settings |
//! | [`outbox`] | facts, recorded in the transaction that made them true |
//! | [`post`] | letters that wait to be sent, and what became of them |
//! | [`web`] | problems, bodies, entity tags, idempotency, limits, the spec |
//! | [`access`] | who is asking, and the proofs of what they may |
//! | [`reference`] | the official lists of codes: CPV and NUTS |
//! | [`route`] | which ways may lead from a need to something new, and the thresholds they hang on |
//! | [`organisation`] | public bodies and others, with their validity in time |
//! | [`account`] | how people get an account and keep it |
//! | [`criteria`] | criteria sets and calls; the assessment |
//! | [`challenge`] | draft → submitted → approved …; recognitions; the second pair of eyes |
//! | [`matching`] | which challenges express the same need, and why |
//! | [`need`] | what a body's staff leave in its inbox, sorted and gathered into challenges |
//! | [`suggestion`] | what anybody suggests to a call, and the body that is invited to own it |
//! | [`support`] | help that is asked for, answered and counted |
//! | [`process`] | challenges bundled: participants, commitments, demand, steps |
//! | [`phase`] | the five phases of public-private innovation: checklists, tracks, a library |
//! | [`letter_of_intent`] | what the bodies sign together: template, comments, signatures, addenda |
//! | [`spread`] | who takes a solution over, how far each has come, what it brought |
//! | [`dialogue`] | the market dialogue: notice versions, questions, sign-ups to events |
//! | [`succession`] | one body carries on what others were |
//! | [`subscription`] | what a supplier wishes to hear about |
//! | [`dispatch`] | facts → audience → letters → deliveries |
//! | [`desk`] | what waits for whom: the staff's queue, a body's own list |
//! | [`feed`] | one feed of all that changed |
//! | [`site`] | the pages that people see, and the feeds |
//! | [`archive`] | everything public, as files that outlive the service |
//! | [`app`] | the actix application: every slice mounted once |
//! | [`secret`] | the key of tokens and links |
//! | [`demo`] | a world to try the service in |
//! | [`cli`] | the command line |
//!
//! The main job reads in this order: [`challenge`] (`actions::submit` asks the pure `criteria::assess`), [`process`]
//! (`actions::gather`), [`dialogue`] (`actions::publish`: version and dispatch in one commit), [`dispatch`] (the audience,
//! a letter each), [`post`] and [`mail`] (lease, send, settle). `tests/it/story.rs` tells it on one page.
//!
//! Every slice that owns states has the same rooms, the others those they need: `model` (pure rules), `store` (rows ⇄ model), `actions` (one function a deed:
//! load → ask the model → save → record), `http` (translates, decides nothing). Reads go `http → store`, writes
//! `http → actions → store`. Time is an argument, and a write is a [`db::Tx`] that only [`db::Db::write`] makes.

pub mod access;
pub mod account;
pub mod app;
pub mod archive;
pub mod challenge;
pub mod cli;
pub mod config;
pub mod criteria;
pub mod db;
pub mod demo;
pub mod desk;
pub mod dialogue;
pub mod dispatch;
pub mod feed;
pub mod kernel;
pub mod letter_of_intent;
pub mod mail;
pub mod matching;
pub mod need;
pub mod organisation;
pub mod outbox;
pub mod phase;
pub mod post;
pub mod process;
pub mod reference;
pub mod route;
pub mod secret;
pub mod site;
pub mod spread;
pub mod subscription;
pub mod succession;
pub mod suggestion;
pub mod support;
pub mod web;
