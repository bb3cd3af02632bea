//! The post room: letters that wait to be sent, and what became of them.
//!
//! ```text
//! queued ──▶ sent
//!   │ ▲
//!   │ └── refused for now: tried again later, for 48 hours
//!   └───▶ failed (refused for good, or given up) · suppressed (no longer wanted)
//! ```
//!
//! A letter is queued in the transaction that made it due, so it exists exactly when its cause does.
//! To send, a worker takes some on lease, posts them with no transaction open, and settles each. A worker
//! that dies lets its lease run out, and the letters go again under the same Message-ID: at most those that
//! were in its hands can arrive twice, and none is lost.

mod model;
pub mod store;

pub use model::{Delivery, LEASE, MAX_IN_FLIGHT, Outcome, Urgency, keyed, settle};
