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
//! in Denmark; a service that was down then does it when it is up, with the same dates. Open work passes on, and what was
//! signed or done stays with who did it: [`PLACES`] is the whole table, and a test fails when a column that names an
//! organisation stands in no line of it. Of what passes on:
//!
//! - two recognitions, two commitments and two participations become one
//!   ([`RecognitionBody::together`](crate::challenge::RecognitionBody::together)): a body is counted once;
//! - what counted before is kept, each history with the names of its time;
//! - links that were mailed stay good, except to sign: a person signs in an office, and the successor's is asked anew.
//!
//! From its last day on a body gets no new challenges and no new people.

pub mod actions;
mod fate;
pub mod http;

pub use actions::carry_out_due;
pub use fate::{Fate, PLACES, Place};
