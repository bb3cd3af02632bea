//! One body carries on what others were: on 1 January 2027 Region Østdanmark what Region Hovedstaden and Region Sjælland
//! had.
//!
//! ```text
//! planned (a last day and a successor, with who and why) ──(the day after the last day)──▶ handed over
//!    └──▶ cancelled
//! ```
//!
//! The plan is what the organisation says of itself: its last day (`valid_to`) and its successor. It is carried out once,
//! in one transaction, by the work of the clock of whichever node comes first when the first day after the last begins
//! in Denmark; a service that was down then does it when it is up, with the same dates. What passes on:
//!
//! - challenges whatever their stage, each with its id, text, verdict and history;
//! - recognitions and commitments, which become the successor's. Where it has its own, or takes over from two bodies, the two
//!   become one ([`RecognitionBody::together`](crate::challenge::RecognitionBody::together)): a body is counted once.
//!   What was said before no longer counts and is kept;
//! - participation: the body was there up to its last day, the successor is from its first, in the further state of the two;
//! - people, with their sessions and API keys, who are told by mail.
//!
//! What stays: adoptions (who took a solution into use, did), published notices (their words are law), and what everybody
//! did under the old name in every history. From its last day on a body gets no new challenges and no new people.

pub mod actions;
pub mod http;

pub use actions::carry_out_due;
