//! The post room: letters that wait to be sent, and what became of them.
//!
//! ```text
//! queued ──▶ sent ──▶ bounced (it came back)
//!   │ ▲
//!   │ └── refused for now: tried again later, for 48 hours
//!   └───▶ failed (refused for good, or given up) · suppressed (no longer wanted, or the address is dead)
//! ```
//!
//! A letter is queued in the transaction that made it due, so it exists exactly when its cause does.
//! To send, a worker takes some on lease to its [desk](Desk), where hands take them one by one and post them with no
//! transaction open. What they have done gets a [postmark](store::Postmark) together, and is settled later, many at once.
//! While the worker lives it renews its leases; one that dies lets them run out, and what has no postmark goes again under
//! the same Message-ID. At most those that were in flight (begun, and without a postmark) can arrive twice, and none is
//! lost.

mod desk;
pub mod lanes;
mod model;
pub mod store;

pub use desk::{Begun, Bounds, Desk, Task};
pub use model::{Content, Delivery, Held, LONGEST_WAIT, Outcome, Told, Urgency, keyed, without};
