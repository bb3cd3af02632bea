//! A scaling process (skaleringsproces): the joint work of several bodies on one shared challenge.
//!
//! ```text
//! preparing ──▶ active ⇄ paused ──▶ completed
//!     └───────────┴────────┴──────▶ abandoned
//! ```
//!
//! Approved challenges are bundled, not merged: each keeps its identity and can be taken out again. Bodies join at
//! any step; participant, signatory, option holder and supporter are different things. Every count is derived from
//! what was said and when, never typed: see [`demand`].

pub mod actions;
pub mod demand;
pub mod handover;
pub mod http;
mod model;
mod participation;
pub mod store;

pub use model::{Process, ProcessBody, Status, Step, StepState, WrongTurn};
pub use participation::{
    Commitment, CommitmentBody, Participant, ParticipantBody, ParticipantState, Role, TimelineBody, TimelineEntry,
};
