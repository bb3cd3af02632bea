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
//! transaction open; what they have done is settled together. While the worker lives it renews its leases; one that dies
//! lets them run out, and the letters go again under the same Message-ID. At most those that were in flight (begun, and not
//! yet settled) can arrive twice, and none is lost.

mod desk;
pub mod lanes;
mod model;
pub mod store;

pub use desk::{Begun, Bounds, Desk, Task};
pub use model::{Content, Delivery, Held, LONGEST_WAIT, Outcome, Told, Urgency, keyed, without};
