//! A challenge (udfordring): a need that a public body has; a problem to solve or a value to create, never a
//! product to buy.
//!
//! ```text
//! draft ──▶ submitted ──▶ approved ⇄ grouped (while it is in a process)
//!   │        │  ▲  └────▶ declined
//!   │        ▼  │
//!   │      returned
//!   └──────┴────────────▶ withdrawn
//! ```
//!
//! The owner writes, submits and withdraws; CO-PI's staff returns, approves and declines, with who, when and why.
//! Each save is assessed anew; other bodies recognise it ("det har vi også"), and the scale criterion moves at once.
//! Grouping is a bundle, never a merge: a challenge keeps its identity, owner, text and figures.
//!
//! Start reading at [`Stage`] and [`actions`].

pub mod actions;
mod description;
pub mod handover;
pub mod http;
pub mod import;
mod letters;
mod lint;
mod model;
mod questions;
mod reason;
mod recognition;
pub mod sponsor;
pub mod store;

pub use description::{AlreadySolvedCheck, Contact, Department, Description};
pub use lint::{Warning, WarningView, warnings};
pub use model::{Approved, Challenge, Decision, OutOfOrder, Stage, Status};
pub use questions::{IdeaQuestion, IdeaQuestionView, Likes, idea_questions};
pub use reason::{ReasonCode, Why};
pub use recognition::{Level, Recognition, RecognitionBody};
